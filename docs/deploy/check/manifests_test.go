package check

import (
	"strings"
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
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
	for _, folder := range append(folders(t), fullKServe) {
		t.Run(folder, func(t *testing.T) {
			pod := podOf(t, render(t, folder))
			level := psapi.LevelVersion{Level: psapi.LevelRestricted,
				Version: psapi.LatestVersion()}
			for _, result := range evaluator.EvaluatePod(level, &metav1.ObjectMeta{}, pod) {
				if !result.Allowed {
					t.Errorf("restricted: %s: %s", result.ForbiddenReason, result.ForbiddenDetail)
				}
			}
			c := pod.Containers[0]
			// A limit would throttle a Deployment, but without one KServe sets that of one CPU.
			limit := c.Resources.Limits.Cpu()
			unlimited := limit.IsZero()
			if strings.HasPrefix(folder, "overlays/kserve") {
				unlimited = limit.Value() >= 2
			}
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
				!unlimited:
				t.Errorf("want a request of CPU, a limit of memory, and none of CPU, got %v",
					c.Resources)
			case c.TerminationMessagePolicy != core.TerminationMessageFallbackToLogsOnError:
				t.Error("why a container ended is only in its log")
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
	pod := podOf(t, render(t, "base"))
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
