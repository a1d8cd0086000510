package check

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
)

// TestEnvironment checks that every variable is a flag of the server, and that every file is below
// a mounted volume.
func TestEnvironment(t *testing.T) {
	flags := newServer(t).flags(t)
	for folder, least := range map[string]int{"overlays/production": 4, withURL: 3, fullKServe: 4,
		"overlays/kserve+components/prices-url": 4} {
		checkEnvironment(t, flags, podOf(t, render(t, folder)), least)
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
	// The name is another one only because a machine can have several servers, a pod cannot.
	t.Setenv("TICKERCAST_HEALTH_SOCKET", fmt.Sprintf("tickercast-check-%d", os.Getpid()))
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
			args := p.Exec.Command[1:]
			if out, err := s.command(t, args...).CombinedOutput(); err != nil {
				t.Errorf("%s: %q: %v: %s", name, args, err, out)
			}
		}
	}
	c := podOf(t, render(t, "base")).Containers[0]
	ask("startup", c.StartupProbe)
	ask("readiness", c.ReadinessProbe)
	ask("liveness", c.LivenessProbe)
	c = podOf(t, render(t, "overlays/kserve")).Containers[0]
	ask("readiness of KServe", c.ReadinessProbe)
	ask("liveness of KServe", c.LivenessProbe)

	// With a certificate by variable the kubelet's command is the same.
	cert, key := certificate(t)
	t.Setenv("TICKERCAST_HEALTH_SOCKET", fmt.Sprintf("tickercast-check-tls-%d", os.Getpid()))
	t.Setenv("TICKERCAST_TLS_CERT", cert)
	t.Setenv("TICKERCAST_TLS_KEY", key)
	s.start(t)
	ask("liveness with TLS", podOf(t, render(t, "base")).Containers[0].LivenessProbe)
}
