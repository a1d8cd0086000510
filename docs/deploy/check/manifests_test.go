package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	psapi "k8s.io/pod-security-admission/api"
	podsecurity "k8s.io/pod-security-admission/policy"
)

// TestPodSecurity checks the pods against the restricted standard of the newest version, and a few
// fields beyond it.
func TestPodSecurity(t *testing.T) {
	evaluator, err := podsecurity.NewEvaluator(podsecurity.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		folder string
		pod    func(map[string]any) *core.PodSpec
	}{
		{"base", deploymentPod(t)},
		{"overlays/production", deploymentPod(t)},
		{withURL, deploymentPod(t)},
		{"overlays/kserve", func(o map[string]any) *core.PodSpec {
			return &object[inferenceService](t, o,
				"InferenceService/tickercast").Spec.Predictor.PodSpec
		}},
	} {
		t.Run(tt.folder, func(t *testing.T) {
			pod := tt.pod(render(t, tt.folder))
			level := psapi.LevelVersion{Level: psapi.LevelRestricted,
				Version: psapi.LatestVersion()}
			for _, result := range evaluator.EvaluatePod(level, &metav1.ObjectMeta{}, pod) {
				if !result.Allowed {
					t.Errorf("restricted: %s: %s", result.ForbiddenReason, result.ForbiddenDetail)
				}
			}
			c := pod.Containers[0]
			switch s := c.SecurityContext; {
			case len(pod.Containers) != 1:
				t.Error("want one container")
			case s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem:
				t.Error("the root file system can be written to")
			case pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken:
				t.Error("a service account token is mounted, but the server calls no API")
			case pod.EnableServiceLinks == nil || *pod.EnableServiceLinks:
				t.Error("the environment, from which flags are read, gets the names of services")
			case c.Resources.Requests.Cpu().IsZero() || c.Resources.Limits.Memory().IsZero() ||
				!c.Resources.Limits.Cpu().IsZero():
				t.Error("want a request of CPU, a limit of memory, and no limit of CPU")
			}
		})
	}
}

// TestPodSecurityFindsFaults shows that the evaluator refuses a pod that should not pass.
func TestPodSecurityFindsFaults(t *testing.T) {
	evaluator, err := podsecurity.NewEvaluator(podsecurity.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	pod := deploymentPod(t)(render(t, "base"))
	pod.Containers[0].SecurityContext.AllowPrivilegeEscalation = nil
	level := psapi.LevelVersion{Level: psapi.LevelRestricted, Version: psapi.LatestVersion()}
	for _, result := range evaluator.EvaluatePod(level, &metav1.ObjectMeta{}, pod) {
		if !result.Allowed {
			return
		}
	}
	t.Error("a pod that may escalate its privileges passed as restricted")
}

// TestNothingIsLost checks that a rollout, a node drain and a scale-down lose no request.
func TestNothingIsLost(t *testing.T) {
	flags := newServer(t).flags(t)
	drain, err1 := time.ParseDuration(flags["drain-delay"])
	grace, err2 := time.ParseDuration(flags["grace"])
	if err1 != nil || err2 != nil || drain == 0 || grace == 0 {
		t.Fatalf("defaults of the server: -drain-delay %q, -grace %q", flags["drain-delay"],
			flags["grace"])
	}
	for _, folder := range []string{"base", "overlays/production"} {
		objects := render(t, folder)
		d := object[apps.Deployment](t, objects, "Deployment/tickercast").Spec
		period := time.Duration(*d.Template.Spec.TerminationGracePeriodSeconds) * time.Second
		if period < drain+grace+5*time.Second {
			t.Errorf("%s: killed after %v, with %v of drain and %v of grace", folder, period, drain,
				grace)
		}
		if d.Replicas != nil {
			t.Errorf("%s: replicas are set, and would be set again at each apply", folder)
		}
		if u := d.Strategy.RollingUpdate; u.MaxUnavailable.IntValue() != 0 ||
			u.MaxSurge.IntValue() < 1 {
			t.Errorf("%s: a rollout may make %v replicas unavailable and add %v, want 0 and some",
				folder, u.MaxUnavailable, u.MaxSurge)
		}
		if min := object[autoscaling.HorizontalPodAutoscaler](t, objects,
			"HorizontalPodAutoscaler/tickercast").Spec.MinReplicas; *min < 2 {
			t.Errorf("%s: %d replicas at least, want 2", folder, *min)
		}
	}
}

// TestSelectors checks that every selector names labels of the pods. An empty one would select all
// pods of the namespace.
func TestSelectors(t *testing.T) {
	objects := render(t, "overlays/production")
	d := object[apps.Deployment](t, objects, "Deployment/tickercast")
	labels := d.Spec.Template.Labels
	ports := map[string]bool{}
	for _, p := range d.Spec.Template.Spec.Containers[0].Ports {
		ports[p.Name] = true
	}
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
					if !ports[p.Port.StrVal] {
						t.Errorf("%s lets port %q in, which no container has", name, p.Port.StrVal)
					}
				}
			}
		case *core.Service:
			check(name, o.Spec.Selector)
			for _, p := range o.Spec.Ports {
				if !ports[p.TargetPort.StrVal] {
					t.Errorf("%s leads to port %q, which no container has", name,
						p.TargetPort.StrVal)
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
	if public := object[core.Service](t, objects,
		"Service/tickercast"); public.Labels["app.kubernetes.io/component"] == "admin" {
		t.Error("the monitor finds the public service too")
	}
	if monitor.Spec.Endpoints[0].Port != service.Spec.Ports[0].Name {
		t.Errorf("the monitor scrapes port %q, the service has %q", monitor.Spec.Endpoints[0].Port,
			service.Spec.Ports[0].Name)
	}
}

// TestEnvironment checks that every variable is a flag of the server, and that every file is below
// a mounted volume.
func TestEnvironment(t *testing.T) {
	flags := newServer(t).flags(t)
	for folder, least := range map[string]int{"overlays/production": 3, withURL: 2} {
		checkEnvironment(t, flags, deploymentPod(t)(render(t, folder)), least)
	}
}

func checkEnvironment(t *testing.T, flags map[string]string, pod *core.PodSpec, least int) {
	t.Helper()
	c := pod.Containers[0]
	for _, env := range c.Env {
		name, ours := strings.CutPrefix(env.Name, "TICKERCAST_")
		if _, ok := flags[strings.ToLower(strings.ReplaceAll(name, "_", "-"))]; !ours || !ok {
			t.Errorf("%s is no flag of the server", env.Name)
		}
		mounted := !strings.HasPrefix(env.Value, "/")
		for _, m := range c.VolumeMounts {
			mounted = mounted || strings.HasPrefix(env.Value, m.MountPath+"/")
		}
		if !mounted {
			t.Errorf("%s=%s: nothing is mounted there", env.Name, env.Value)
		}
	}
	if len(c.Env) < least {
		t.Errorf("only %d variables were found", len(c.Env))
	}
}

// TestProbes sends a server the probes that the kubelet would send.
func TestProbes(t *testing.T) {
	s := newServer(t)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start(t, "-admin-token-file", token) // the kubelet has no token
	if status, _ := s.get(t, s.admin, "/metrics"); status != 401 {
		t.Errorf("metrics without the token: got %d, want 401", status)
	}
	ask := func(name string, p *core.Probe) {
		switch {
		case p == nil:
			t.Errorf("%s: none", name)
		case p.HTTPGet != nil:
			if status, body := s.get(t, s.addr, p.HTTPGet.Path); status != 200 {
				t.Errorf("%s %s: got %d %s", name, p.HTTPGet.Path, status, body)
			}
		case p.Exec != nil:
			args := append([]string{}, p.Exec.Command[1:]...)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "127.0.0.1:9090", s.admin)
			}
			if out, err := s.command(t, args...).CombinedOutput(); err != nil {
				t.Errorf("%s: %q: %v: %s", name, args, err, out)
			}
		}
	}
	c := deploymentPod(t)(render(t, "base")).Containers[0]
	ask("startup", c.StartupProbe)
	ask("readiness", c.ReadinessProbe)
	ask("liveness", c.LivenessProbe)
	c = object[inferenceService](t, render(t, "overlays/kserve"),
		"InferenceService/tickercast").Spec.Predictor.Containers[0]
	ask("readiness of KServe", c.ReadinessProbe)
	ask("liveness of KServe", c.LivenessProbe)
}
