package check

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/kustomize/api/krusty"
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
// field is an error.
func render(t *testing.T, folder string) map[string]any {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(),
		filepath.Join("..", "kubernetes", folder))
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("MANIFESTS"); dir != "" {
		text, err := resources.AsYaml()
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(folder)+".yaml"), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	objects := map[string]any{}
	for _, r := range resources.Resources() {
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

func object[T any](t *testing.T, objects map[string]any, name string) *T {
	t.Helper()
	o, ok := objects[name].(*T)
	if !ok {
		t.Fatalf("there is no %s", name)
	}
	return o
}

func deploymentPod(t *testing.T) func(map[string]any) *core.PodSpec {
	return func(o map[string]any) *core.PodSpec {
		return &object[apps.Deployment](t, o, "Deployment/tickercast").Spec.Template.Spec
	}
}
