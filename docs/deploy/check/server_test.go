package check

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
)

// server is the program, built once from this tree.
type server struct {
	binary      string
	addr, admin string // set by start
}

// binaries is a folder for the programs that tests build.
var binaries string

var build = sync.OnceValues(func() (string, error) {
	return goBuild("tickercast", filepath.Join("..", "..", ".."), ".")
})

func goBuild(name, dir, pkg string) (string, error) {
	binary := filepath.Join(binaries, name)
	cmd := exec.Command("go", "build", "-o", binary, pkg)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w: %s", pkg, err, out)
	}
	return binary, nil
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "deploy")
	if err != nil {
		panic(err)
	}
	binaries = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func newServer(t *testing.T) *server {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return &server{binary: binary}
}

func (s *server) command(t *testing.T, args ...string) *exec.Cmd {
	return exec.CommandContext(t.Context(), s.binary, args...)
}

// flags returns the flags of the serve command with their defaults.
func (s *server) flags(t *testing.T) map[string]string {
	t.Helper()
	out, err := s.command(t, "serve", "-h").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	flags := map[string]string{}
	flag := regexp.MustCompile(`(?m)^  -([a-z0-9-]+).*\n((?:      .*\n)*)`)
	preset := regexp.MustCompile(`\(default ([^)]*)\)`)
	for _, m := range flag.FindAllStringSubmatch(string(out), -1) {
		flags[m[1]] = ""
		if d := preset.FindStringSubmatch(m[2]); d != nil {
			flags[m[1]] = d[1]
		}
	}
	return flags
}

// start serves on free ports until the test ends.
func (s *server) start(t *testing.T, flags ...string) {
	t.Helper()
	cmd := s.command(t,
		append([]string{"serve", "-addr", "127.0.0.1:0", "-admin-addr", "127.0.0.1:0"},
			flags...)...)
	log, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	lines := bufio.NewReader(log)
	line, _ := lines.ReadBytes('\n')
	var first struct {
		Addr  string `json:"addr"`
		Admin string `json:"admin_addr"`
	}
	if err := json.Unmarshal(line, &first); err != nil || first.Admin == "" {
		t.Fatalf("the first line of the log is %q", line)
	}
	go io.Copy(io.Discard, lines)
	s.addr, s.admin = first.Addr, first.Admin
}

func (s *server) get(t *testing.T, addr, path string) (int, string) {
	t.Helper()
	resp, err := http.Get("http://" + addr + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}
