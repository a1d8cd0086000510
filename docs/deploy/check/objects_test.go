package check

import (
	"strconv"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// TestSelectors checks that every selector names labels of the pods. An empty one would select all
// pods of the namespace.
func TestSelectors(t *testing.T) {
	for _, folder := range []string{"overlays/production", fullKServe} {
		t.Run(folder, func(t *testing.T) { testSelectors(t, render(t, folder)) })
	}
}

func testSelectors(t *testing.T, objects map[string]any) {
	var labels map[string]string
	if d, ok := objects["Deployment/tickercast"].(*apps.Deployment); ok {
		labels = d.Spec.Template.Labels
	} else {
		// KServe gives its labels to the pods.
		labels = object[inferenceService](t, objects, "InferenceService/tickercast").Labels
	}
	c := podOf(t, objects).Containers[0]
	known := portsOf(t, c)
	check := func(name string, selector map[string]string) {
		if len(selector) == 0 {
			t.Errorf("%s selects everything", name)
		}
		for k, v := range selector {
			if labels[k] != v {
				t.Errorf("%s selects %s=%s, the pods have %q", name, k, v, labels[k])
			}
		}
	}
	for name, o := range objects {
		switch o := o.(type) {
		case *apps.Deployment:
			check(name, o.Spec.Selector.MatchLabels)
		case *policy.PodDisruptionBudget:
			check(name, o.Spec.Selector.MatchLabels)
		case *networking.NetworkPolicy:
			check(name, o.Spec.PodSelector.MatchLabels)
			for _, rule := range o.Spec.Ingress {
				for _, p := range rule.Ports {
					if !known(*p.Port) && p.EndPort == nil {
						t.Errorf("%s lets port %s in, which no container has", name, p.Port)
					}
				}
			}
		case *core.Service:
			check(name, o.Spec.Selector)
			for _, p := range o.Spec.Ports {
				if !known(p.TargetPort) {
					t.Errorf("%s leads to port %s, which no container has", name, &p.TargetPort)
				}
			}
		}
	}
	monitor := object[monitoring.ServiceMonitor](t, objects, "ServiceMonitor/tickercast")
	service := object[core.Service](t, objects, "Service/tickercast-admin")
	for k, v := range monitor.Spec.Selector.MatchLabels {
		if service.Labels[k] != v {
			t.Errorf("the monitor looks for %s=%s, the service has %q", k, v, service.Labels[k])
		}
	}
	if public, ok := objects["Service/tickercast"].(*core.Service); ok &&
		public.Labels["app.kubernetes.io/component"] == "admin" {
		t.Error("the monitor finds the public service too")
	}
	if job := service.Labels[monitor.Spec.JobLabel]; job != "tickercast" {
		t.Errorf("the job is %q, and no alert finds it", job)
	}
	if monitor.Spec.Endpoints[0].Port != service.Spec.Ports[0].Name {
		t.Errorf("the monitor scrapes port %q, the service has %q", monitor.Spec.Endpoints[0].Port,
			service.Spec.Ports[0].Name)
	}
}

// portsOf reports whether a container listens on a port, by its name or number. A port need not be
// declared: a variable may set it.
func portsOf(t *testing.T, c core.Container) func(intstr.IntOrString) bool {
	named, numbers := map[string]bool{}, map[int32]bool{}
	for _, p := range c.Ports {
		named[p.Name], numbers[p.ContainerPort] = p.Name != "", true
	}
	for _, env := range c.Env {
		if port, ok := strings.CutPrefix(env.Value, ":"); ok {
			n, err := strconv.ParseInt(port, 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			numbers[int32(n)] = true
		}
	}
	return func(p intstr.IntOrString) bool { return named[p.StrVal] || numbers[p.IntVal] }
}

// TestPortsNameTheirProtocol checks that no port leaves its protocol to the default: a server-side
// apply after a client-side one would conflict.
func TestPortsNameTheirProtocol(t *testing.T) {
	found := 0
	for _, folder := range folders(t) {
		for _, r := range kustomize(t, folder).Resources() {
			if r.GetKind() == "ServiceMonitor" {
				continue
			}
			o, err := r.Map()
			if err != nil {
				t.Fatal(err)
			}
			for _, port := range portsIn(o) {
				found++
				if port["protocol"] == nil {
					t.Errorf("%s: %s/%s: no protocol at %v", folder, r.GetKind(), r.GetName(), port)
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d ports were found", found)
	}
}

// portsIn finds the elements of all lists named ports.
func portsIn(value any) (ports []map[string]any) {
	switch v := value.(type) {
	case map[string]any:
		for name, v := range v {
			if list, ok := v.([]any); ok && name == "ports" {
				for _, port := range list {
					ports = append(ports, port.(map[string]any))
				}
			} else {
				ports = append(ports, portsIn(v)...)
			}
		}
	case []any:
		for _, v := range v {
			ports = append(ports, portsIn(v)...)
		}
	}
	return ports
}
