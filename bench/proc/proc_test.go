//go:build linux

package proc

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestMain becomes the server of the tests when it is told to.
func TestMain(m *testing.M) {
	if addr := os.Getenv("PROC_TEST_SERVE"); addr != "" {
		if os.Getenv("PROC_TEST_CHILD") == "" {
			// Like a server with workers: a child that does the work, and a parent that waits for
			// it.
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
	addr, err := FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Start(t.Context(), Config{
		Args: []string{os.Args[0]}, Env: []string{"PROC_TEST_SERVE=" + addr},
		Pin: CanPin() == nil, Ready: "http://" + addr + "/",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	before, err := s.Usage()
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get("http://" + addr + "/busy")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	after, err := s.Usage()
	if err != nil {
		t.Fatal(err)
	}
	// Two hundred milliseconds of wall time may be less of CPU time on a busy machine, but not
	// nothing.
	if used := after.CPU - before.CPU; used < 10*time.Millisecond || used > 2*time.Second {
		t.Errorf("a child that spun for 200 ms used %v", used)
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
	if _, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
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

func TestTail(t *testing.T) {
	var out tail
	for range 1000 {
		io.WriteString(&out, "0123456789")
	}
	if got := out.String(); len(got) > 4096 || !strings.HasSuffix(got, "789") {
		t.Errorf("kept %d bytes", len(got))
	}
}
