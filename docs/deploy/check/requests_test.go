package check

import (
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// TestRequestsFit adds up what the pods of a rollout request: all replicas and those that are
// started before old ones end. They must fit on a node of two CPUs and 2 GiB, of which the pods of
// the cluster itself request up to the half.
func TestRequestsFit(t *testing.T) {
	cpu, memory := resource.MustParse("1"), resource.MustParse("1Gi")
	for _, folder := range folders(t) {
		objects := render(t, folder)
		pods := podsOfRollout(t, objects)
		requests := podOf(t, objects).Containers[0].Resources.Requests
		for _, sum := range []struct{ each, most *resource.Quantity }{
			{requests.Cpu(), &cpu}, {requests.Memory(), &memory}} {
			if sum.each.IsZero() || sum.each.MilliValue()*pods > sum.most.MilliValue() {
				t.Errorf("%s: %d pods with %s each, want at most %s in all", folder, pods, sum.each,
					sum.most)
			}
		}
		if strings.HasPrefix(folder, "overlays/small") && (pods != 2 ||
			requests.Cpu().MilliValue() != 100) {
			t.Errorf("%s: %d pods with %s, want one replica with 100m", folder, pods, requests.Cpu())
		}
	}
}

// podsOfRollout is how many pods there may be while a new version is rolled out.
func podsOfRollout(t *testing.T, objects map[string]any) int64 {
	t.Helper()
	replicas, surge := int32(1), intstr.FromString("25%") // what KServe leaves at the default
	if d, ok := objects["Deployment/tickercast"].(*apps.Deployment); ok {
		surge = *d.Spec.Strategy.RollingUpdate.MaxSurge
		if d.Spec.Replicas != nil {
			replicas = *d.Spec.Replicas
		}
	} else {
		replicas = *object[inferenceService](t, objects,
			"InferenceService/tickercast").Spec.Predictor.MinReplicas
	}
	const hpa = "HorizontalPodAutoscaler/tickercast"
	if h, ok := objects[hpa].(*autoscaling.HorizontalPodAutoscaler); ok {
		replicas = *h.Spec.MinReplicas
	}
	more, err := intstr.GetScaledValueFromIntOrPercent(&surge, int(replicas), true)
	if err != nil {
		t.Fatal(err)
	}
	return int64(replicas) + int64(more)
}
