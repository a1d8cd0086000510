//go:build linux

package proc

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestMain serves instead of testing if PROC_TEST_SERVE is set.
func TestMain(m *testing.M) {
	if addr := os.Getenv("PROC_TEST_SERVE"); addr != "" {
		if os.Getenv("PROC_TEST_CHILD") == "" {
			// A server with workers: the child does the work and the parent waits for it.
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), "PROC_TEST_CHILD=1")
			child.Run()
			return
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			panic(err)
		}
		http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for began := time.Now(); r.URL.Path == "/busy" &&
				time.Since(began) < 200*time.Millisecond; {
			}
			io.WriteString(w, "ok")
		}))
		return
	}
	os.Exit(m.Run())
}

func TestServer(t *testing.T) {
	s, err := Start(t.Context(), Config{
		Args: []string{os.Args[0]}, Env: []string{"PROC_TEST_SERVE={addr}"},
		Pin: CanPin() == nil, Ready: "http://{addr}/",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	used, err := s.During(func() error {
		resp, err := http.Get("http://" + s.Addr + "/busy")
		if err == nil {
			resp.Body.Close()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// On a busy machine 200 ms of wall time may be less of CPU time, but not nothing.
	if used < 10*time.Millisecond || used > 2*time.Second {
		t.Errorf("a child that spun for 200 ms used %v", used)
	}
	after, err := s.Usage()
	if err != nil {
		t.Fatal(err)
	}
	if after.Memory < 1<<20 || after.Memory > 1<<30 {
		t.Errorf("memory: %d bytes", after.Memory)
	}
	pids, err := descendants(s.PID())
	if err != nil || len(pids) < 2 {
		t.Errorf("processes %v, error %v; want a parent and its child", pids, err)
	}
	if s.Exited() {
		t.Error("exited before it was stopped")
	}
	s.Stop()
	if !s.Exited() {
		t.Error("not exited after it was stopped")
	}
	if _, err := net.DialTimeout("tcp", s.Addr, time.Second); err == nil {
		t.Error("the child still answers after Stop")
	}
}

func TestStartFails(t *testing.T) {
	for want, cfg := range map[string]Config{
		"no such file": {Args: []string{"/nonexistent/server"}},
		"it exited": {Args: []string{"sh", "-c", "echo no luck; exit 3"},
			Ready: "http://127.0.0.1:1/"},
		"not ready after": {Args: []string{"sleep", "60"}, Ready: "http://127.0.0.1:1/",
			Wait: 20 * time.Millisecond},
		"missing protocol scheme": {Args: []string{"sleep", "60"}, Ready: ":"},
		"missing port in address": {Args: []string{"sleep", "60"}, Addr: "127.0.0.1"},
	} {
		_, err := Start(t.Context(), cfg)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", cfg.Args, err, want)
		}
		if want == "it exited" && !strings.Contains(err.Error(), "no luck") {
			t.Errorf("error %v, want it to hold the output", err)
		}
	}
}

func TestResolve(t *testing.T) {
	args := []string{"x", "--host", "{host}", "--port={port}", "{addr}"}
	cfg := Config{Addr: "127.0.0.1:80", Args: args, Env: []string{"A={addr}"},
		Ready: "http://{addr}/"}
	err := cfg.resolve()
	got := strings.Join(slices.Concat(cfg.Args, cfg.Env, []string{cfg.Ready}), " ")
	const want = "x --host 127.0.0.1 --port=80 127.0.0.1:80 A=127.0.0.1:80 http://127.0.0.1:80/"
	if err != nil || got != want {
		t.Errorf("got %s, error %v; want %s", got, err, want)
	}
	if args[2] != "{host}" {
		t.Errorf("the arguments of the caller have become %q", args)
	}
}

func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		stop := Every(time.Second, func() { calls++ })
		time.Sleep(2500 * time.Millisecond)
		stop()
		time.Sleep(10 * time.Second)
		if calls != 3 {
			t.Errorf("%d calls in 2.5 s, want 3", calls)
		}
	})
}

func TestTail(t *testing.T) {
	var out tail
	for range 1000 {
		io.WriteString(&out, "0123456789")
	}
	if got := string(out); len(got) > 4096 || !strings.HasSuffix(got, "789") {
		t.Errorf("kept %d bytes", len(got))
	}
}
