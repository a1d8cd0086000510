package check

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// inferenceService has the fields of KServe's type that the kit uses. KServe's own package would
// bring half of Knative and Istio along.
type inferenceService struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Predictor struct {
			core.PodSpec `json:",inline"`
			MinReplicas  *int32 `json:"minReplicas"`
			MaxReplicas  int32  `json:"maxReplicas"`
		} `json:"predictor"`
	} `json:"spec"`
}

// kinds makes an empty object of each kind in the kit.
var kinds = map[string]func() any{
	"Namespace":               func() any { return new(core.Namespace) },
	"Service":                 func() any { return new(core.Service) },
	"Deployment":              func() any { return new(apps.Deployment) },
	"HorizontalPodAutoscaler": func() any { return new(autoscaling.HorizontalPodAutoscaler) },
	"PodDisruptionBudget":     func() any { return new(policy.PodDisruptionBudget) },
	"NetworkPolicy":           func() any { return new(networking.NetworkPolicy) },
	"ServiceMonitor":          func() any { return new(monitoring.ServiceMonitor) },
	"PrometheusRule":          func() any { return new(monitoring.PrometheusRule) },
	"InferenceService":        func() any { return new(inferenceService) },
}

// render builds a folder of ../kubernetes and returns its objects by kind and name. An unknown
// field is an error. A name such as base+components/prices is a folder with components.
func render(t *testing.T, folder string) map[string]any {
	t.Helper()
	objects := map[string]any{}
	for _, r := range kustomize(t, folder).Resources() {
		name := r.GetKind() + "/" + r.GetName()
		text, err := r.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		newObject, ok := kinds[r.GetKind()]
		if !ok {
			t.Fatalf("%s: unknown kind", name)
		}
		object := newObject()
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(object); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		objects[name] = object
	}
	return objects
}

func renderYAML(t *testing.T, folder string) []byte {
	t.Helper()
	text, err := kustomize(t, folder).AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("MANIFESTS"); dir != "" {
		name := strings.ReplaceAll(folder, "/", "-") + ".yaml"
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return text
}

func kustomize(t *testing.T, folder string, lines ...string) resmap.ResMap {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", "kubernetes"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	names := strings.Split(folder, "+")
	for i := range names {
		if names[i], err = filepath.Rel(dir, filepath.Join(root, names[i])); err != nil {
			t.Fatal(err)
		}
	}
	text := fmt.Sprintf("resources: [%s]\ncomponents: [%s]\n%s", names[0],
		strings.Join(names[1:], ", "), strings.Join(lines, "\n"))
	err = os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionLegacy // as kubectl does, a namespace first
	resources, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return resources
}

// folders lists what a user can apply: base, overlays, and each component on top of what runs pods.
func folders(t *testing.T) (names []string) {
	t.Helper()
	root := filepath.Join("..", "kubernetes")
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Base(path) != "kustomization.yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, filepath.Dir(path))
		if bytes.Contains(text, []byte("\nkind: Component\n")) {
			names = append(names, "base+"+name, "overlays/small+"+name, "overlays/kserve+"+name)
		} else {
			names = append(names, name)
		}
		return err
	})
	if err != nil || len(names) < 13 {
		t.Fatalf("%v, %v", names, err)
	}
	return names
}

func object[T any](t *testing.T, objects map[string]any, name string) *T {
	t.Helper()
	o, ok := objects[name].(*T)
	if !ok {
		t.Fatalf("there is no %s", name)
	}
	return o
}

// fullKServe is the overlay with all that it can have.
const fullKServe = "overlays/kserve+components/prices+components/monitoring"

// podOf returns the pod of a Deployment or InferenceService.
func podOf(t *testing.T, objects map[string]any) *core.PodSpec {
	t.Helper()
	if d, ok := objects["Deployment/tickercast"].(*apps.Deployment); ok {
		return &d.Spec.Template.Spec
	}
	return &object[inferenceService](t, objects, "InferenceService/tickercast").Spec.Predictor.PodSpec
}
