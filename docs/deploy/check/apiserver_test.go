package check

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	podapi "k8s.io/kubernetes/pkg/api/pod"
	serviceapi "k8s.io/kubernetes/pkg/api/service"
	"k8s.io/kubernetes/pkg/apis/apps"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	appsvalidation "k8s.io/kubernetes/pkg/apis/apps/validation"
	"k8s.io/kubernetes/pkg/apis/autoscaling"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	autoscalingvalidation "k8s.io/kubernetes/pkg/apis/autoscaling/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/apis/networking"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	networkingvalidation "k8s.io/kubernetes/pkg/apis/networking/validation"
	"k8s.io/kubernetes/pkg/apis/policy"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	policyvalidation "k8s.io/kubernetes/pkg/apis/policy/validation"
	"k8s.io/kubernetes/pkg/features"
	"sigs.k8s.io/yaml"
)

// create does with an object what the API server does when it is created: it decodes it strictly,
// sets the defaults and validates it, by the API server's own code. Warnings are errors too. Of the
// kinds that other projects define it only decodes the objects. The pod of an InferenceService is
// validated as that of a Deployment, which KServe makes of it.
func create(doc []byte) error {
	var head metav1.TypeMeta
	if err := yaml.Unmarshal(doc, &head); err != nil {
		return err
	}
	switch head.Kind {
	case "ServiceMonitor", "PrometheusRule":
		return yaml.UnmarshalStrict(doc, kinds[head.Kind]())
	case "InferenceService":
		var service inferenceService
		if err := yaml.UnmarshalStrict(doc, &service); err != nil {
			return err
		}
		deployment, err := deploymentOf(service.Spec.Predictor.PodSpec)
		if err != nil {
			return err
		}
		return create(deployment)
	}
	strict := serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict)
	versioned, gvk, err := strict.UniversalDeserializer().Decode(doc, nil, nil)
	if err != nil {
		return err
	}
	object, err := runtime.Decode(legacyscheme.Codecs.UniversalDecoder(), doc)
	if err != nil {
		return err
	}
	for _, o := range []runtime.Object{versioned, object} {
		m, err := meta.Accessor(o)
		if err != nil {
			return err
		}
		if m.GetNamespace() == "" && gvk.Kind != "Namespace" { // the client sets its own
			m.SetNamespace(metav1.NamespaceDefault)
		}
	}
	faults, warnings, err := validate(object)
	if err != nil {
		return err
	}
	// Some rules of an API stand in comments at its types, from which validation is generated. What
	// is optional in them is named here.
	legacyscheme.Scheme.Default(versioned)
	faults = append(faults, legacyscheme.Scheme.Validate(context.Background(),
		map[string]bool{string(features.HPAScaleToZero): false}, versioned)...)
	for _, w := range warnings {
		faults = append(faults, field.InternalError(nil, fmt.Errorf("warning: %s", w)))
	}
	if len(faults) > 0 {
		return faults.ToAggregate()
	}
	return nil
}

func validate(object runtime.Object) (faults field.ErrorList, warnings []string, err error) {
	switch o := object.(type) {
	case *core.Namespace:
		faults = corevalidation.ValidateNamespace(o)
	case *core.ConfigMap:
		faults = corevalidation.ValidateConfigMap(o)
	case *core.Secret:
		faults = corevalidation.ValidateSecret(o)
	case *core.Service:
		if o.Spec.ClusterIP == core.ClusterIPNone { // the server would allocate others
			o.Spec.ClusterIPs = []string{o.Spec.ClusterIP}
		}
		faults = corevalidation.ValidateServiceCreate(o)
		warnings = serviceapi.GetWarningsForService(o, nil)
	case *apps.Deployment:
		pod := &o.Spec.Template
		faults = appsvalidation.ValidateDeployment(o,
			podapi.GetValidationOptionsFromPodTemplate(pod, nil))
		warnings = podapi.GetWarningsForPodTemplate(context.Background(),
			field.NewPath("spec", "template"), pod, nil)
	case *autoscaling.HorizontalPodAutoscaler:
		faults = autoscalingvalidation.ValidateHorizontalPodAutoscaler(o,
			autoscalingvalidation.HorizontalPodAutoscalerSpecValidationOptions{
				MinReplicasLowerBound: 1})
	case *policy.PodDisruptionBudget:
		faults = policyvalidation.ValidatePodDisruptionBudget(o,
			policyvalidation.PodDisruptionBudgetValidationOptions{})
	case *networking.NetworkPolicy:
		faults = networkingvalidation.ValidateNetworkPolicy(o,
			networkingvalidation.NetworkPolicyValidationOptions{})
	default:
		err = fmt.Errorf("%T: no validation of this kind", object)
	}
	return faults, warnings, err
}

// deploymentOf makes the Deployment that KServe makes of a predictor.
func deploymentOf(pod corev1.PodSpec) ([]byte, error) {
	labels := map[string]string{"app": "predictor"}
	return yaml.Marshal(appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Name: "predictor"},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: pod},
		},
	})
}

// createAll creates each document of a stream and counts the kinds.
func createAll(t *testing.T, text []byte) map[string]int {
	t.Helper()
	counts := map[string]int{}
	docs := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			return counts
		}
		var head metav1.PartialObjectMetadata
		if err == nil {
			err = yaml.Unmarshal(doc, &head)
		}
		if err != nil {
			t.Fatal(err)
		}
		counts[head.Kind]++
		if err := create(doc); err != nil {
			t.Errorf("%s/%s: %v", head.Kind, head.Name, err)
		}
	}
}

// TestAPIServerAccepts creates every object that the kit renders, and all that the command
// manifests prints.
func TestAPIServerAccepts(t *testing.T) {
	for _, folder := range folders(t) {
		t.Run(folder, func(t *testing.T) {
			if kinds := createAll(t, renderYAML(t, folder)); len(kinds) == 0 {
				t.Error("no object")
			}
		})
	}
	for _, args := range [][]string{nil, {"-small"}, {"-small=false"},
		{"-namespace", "123", "-image", "registry.example.com:5000/a/tickercast:1e3"}} {
		t.Run(strings.Join(append([]string{"manifests"}, args...), " "), func(t *testing.T) {
			kinds := createAll(t, printed(t, args...))
			if kinds["Deployment"] != 1 || kinds["Service"] != 1 || kinds["Secret"] > 0 ||
				kinds["ConfigMap"] > 0 {
				t.Errorf("got %v, want a Deployment, a Service, and nothing to fill in", kinds)
			}
		})
	}
}

// TestAPIServerRefuses creates objects with a fault that a schema does not show. The first line of
// each says what the API server answers. deployment.yaml is the one that the kit once had.
func TestAPIServerRefuses(t *testing.T) {
	names, err := filepath.Glob("testdata/refused/*.yaml")
	if err != nil || len(names) < 6 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	for _, name := range names {
		doc, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := bytes.Cut(doc, []byte("\n"))
		want := strings.TrimPrefix(string(first), "# ")
		if err := create(doc); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}
