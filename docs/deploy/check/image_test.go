package check

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// TestImageLabels checks that the image tells which version it is, in its labels and in the binary.
func TestImageLabels(t *testing.T) {
	text, err := os.ReadFile("../../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	builds, final, ok := strings.Cut(string(text), "\nFROM scratch\n")
	if !ok || !strings.Contains(builds, "\nARG VERSION\n") {
		t.Error("the stage that builds has no VERSION")
	}
	for label, value := range map[string]string{"version": "$VERSION", "revision": "$REVISION",
		"source": "$SOURCE", "licenses": "MIT"} {
		if !strings.Contains(final, "org.opencontainers.image."+label+"="+value) {
			t.Errorf("no label %s=%s", label, value)
		}
		name, argument := strings.CutPrefix(value, "$")
		if argument && !regexp.MustCompile(`(?m)^ARG `+name+`$`).MatchString(final) {
			t.Errorf("the last stage has no argument %s", name)
		}
	}
}

// TestImageHasRoots checks that the image trusts the authorities that its build stage trusts.
func TestImageHasRoots(t *testing.T) {
	const roots = "/etc/ssl/certs/ca-certificates.crt"
	text, err := os.ReadFile("../../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "COPY --from=build "+roots+" "+roots+"\n") {
		t.Errorf("no %s in the image", roots)
	}
}

// TestReadmeBuildIsStatic builds the program by the line of the README, with cgo allowed around it.
// The binary must run where there is no libc.
func TestReadmeBuildIsStatic(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("binaries of other systems are never static")
	}
	root := filepath.Join("..", "..", "..")
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^.*go build (.*) \.$`).FindString(string(text))
	if line == "" {
		t.Fatal("the README has no line that builds")
	}
	binary := filepath.Join(t.TempDir(), "tickercast")
	cmd := exec.CommandContext(t.Context(), "sh", "-c",
		strings.TrimSuffix(line, ".")+"-o '"+binary+"' .")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", line, err, out)
	}
	f, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Errorf("%s: the binary needs a dynamic linker", line)
		}
	}
}
