package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rules list what each package may import of this module, and why the arrow may be there. A package
// that is not listed may import none; a trailing /... stands for all packages below. The rule of
// bench holds for all packages below it too. Tests may import more.
var rules = []struct {
	from string
	to   []string
	why  string
}{
	{"tickercast", []string{"predict/cli"}, "main only calls the command line"},
	{"predict/cli", []string{"predict", "predict/server", "predict/internal/...", "docs",
		"docs/deploy", "model", "model/calendar", "model/market", "model/source", "model/train"},
		"commands fill in a server's Config, train, evaluate and print, with the answers' digits"},
	{"predict/server", []string{"predict", "predict/fastlane", "predict/internal/...", "docs",
		"model", "model/calendar", "model/calibrate", "model/market", "model/source"},
		"one server puts everything together"},
	{"predict", []string{"predict/pyjson", "predict/internal/limits", "predict/internal/metrics",
		"cache", "model", "model/calendar", "model/calibrate", "model/market"},
		"the endpoint computes, caches and judges forecasts, and counts what requests hold"},
	{"predict/fastlane", nil, "a connection's bytes need nothing of forecasts"},
	{"predict/pyjson", nil, "bytes and values as Python has them, for any program"},
	{"cache", nil, "it caches values of any type"},
	{"docs", nil, "the page and the document are bytes"},
	{"docs/deploy", nil, "the manifests are bytes"},
	{"model/calendar", nil, "dates need no prices"},
	{"model", []string{"model/calendar"}, "weights carry their training range"},
	{"model/market", []string{"model/calendar", "model/internal/file", "model/internal/pace"},
		"prices have dates, and come from files"},
	{"model/market/mksnapshot", []string{"model/market"}, "it packs what market unpacks"},
	{"model/calibrate", []string{"model", "model/calendar", "model/internal/pace", "model/market"},
		"past forecasts of a model are held against a market"},
	{"model/source", []string{"model", "model/calendar", "model/calibrate",
		"model/internal/file", "model/market"}, "it opens what the others work on"},
	{"model/train", []string{"model", "model/calendar", "model/calibrate", "model/market"},
		"it fits and judges models on markets"},
	{"bench", []string{"bench", "bench/..."},
		"all of its commands measure servers from outside; its tests also measure parts"},
}

// apart are packages that a program or package must not contain, however they would get there.
var apart = []struct{ from, without, why string }{
	{".", "tickercast/bench", "a binary for users needs no benchmarks"},
	{".", "tickercast/predict/internal/memnet", "a network in memory is for tests"},
	{".", "tickercast/predict/internal/wirecase", "odd requests are for tests"},
	{"./predict/server", "tickercast/model/train", "no server trains"},
	{"./model/train", "net", "a model is fitted to prices that are here"}, // and so all it imports
	{"./model/market/...", "net", "a forecast is arithmetic; only model/source asks other hosts"},
}

// banned are packages of the standard library that only some packages may import.
var banned = []struct {
	path, why string
	except    []string
}{
	{"flag", "only commands read command lines",
		[]string{"predict/cli", "model/market/mksnapshot"}},
	{"log", "log/slog, so that every line is structured",
		[]string{"predict/server"}}, // http.Server.ErrorLog is a *log.Logger
	{"unsafe", "each use needs a measured reason, said where it stands",
		[]string{"predict/fastlane", "predict/internal/systemd"}},
	{"reflect", "hand-written code says what it does", []string{"cache"}}, // sizes of K and V
	{"os", "data comes in as bytes and readers", []string{"tickercast", "predict",
		"predict/cli", "predict/server", "predict/fastlane", "predict/internal/limits",
		"predict/internal/memnet", "predict/internal/metrics", "model/internal/file",
		"model/market", "model/market/mksnapshot", "model/source"}},
}

func TestImportsRunOneWay(t *testing.T) {
	allowed := map[string][]string{}
	for _, r := range rules {
		allowed[r.from] = r.to
	}
	for _, p := range goList(t, "./...") {
		name := strings.TrimPrefix(p.ImportPath, "tickercast/")
		top, _, _ := strings.Cut(name, "/")
		may := allowed[name]
		if top == "bench" {
			may = allowed[top]
		}
		for _, imp := range p.Imports {
			ours, ok := strings.CutPrefix(imp, "tickercast/")
			if ok && !slices.ContainsFunc(may, func(to string) bool {
				all, ok := strings.CutSuffix(to, "...")
				return to == ours || ok && strings.HasPrefix(ours, all)
			}) {
				t.Errorf("%s imports %s, which rules does not allow", name, ours)
			}
			for _, b := range banned {
				if imp == b.path && top != "bench" && !slices.Contains(b.except, name) {
					t.Errorf("%s imports %s: %s", name, imp, b.why)
				}
			}
		}
	}
}

func TestPackagesStayApart(t *testing.T) {
	for _, a := range apart {
		for _, p := range goList(t, a.from) {
			if slices.Contains(p.Deps, a.without) {
				t.Errorf("%s contains %s: %s", p.ImportPath, a.without, a.why)
			}
		}
	}
	for _, p := range goList(t, "./predict/internal/...") {
		for _, dep := range p.Deps {
			if dep == "tickercast/predict/server" || dep == "tickercast/predict/cli" {
				t.Errorf("%s contains %s: a helper knows nothing of its callers", p.ImportPath, dep)
			}
		}
	}
}

func TestBinaryIsTheStandardLibraryOnly(t *testing.T) {
	for _, p := range goList(t, "-deps", ".") {
		if !p.Standard && p.ImportPath != "tickercast" &&
			!strings.HasPrefix(p.ImportPath, "tickercast/") {
			t.Errorf("the binary contains %s", p.ImportPath)
		}
	}
}

// TestRootIsTidy allows only the files at the root that a newcomer looks for.
func TestRootIsTidy(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "git", "ls-files", "--", ":(glob)*").Output()
	if err != nil {
		t.Skipf("not a git checkout: %v", err)
	}
	want := []string{".dockerignore", ".gitattributes", ".gitignore", "Dockerfile", "LICENSE",
		"README.md", "go.mod", "go.sum", "main.go", "main_test.go"}
	if got := strings.Fields(string(out)); !slices.Equal(got, want) {
		t.Errorf("the root holds %v, want %v", got, want)
	}
}

// TestLinesAreShort holds Go files to one width, for readers with two windows side by side. Lines
// with strings, which cannot always be broken, and tables in comments may be longer.
func TestLinesAreShort(t *testing.T) {
	const width, tab = 100, 4
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n, raw := 0, false // in a raw string
		for line := range strings.Lines(string(data)) {
			n++
			line = strings.TrimSuffix(line, "\n")
			columns := len([]rune(line)) + (tab-1)*strings.Count(line, "\t")
			table := strings.HasPrefix(line, "//\t")
			if columns > width && !raw && !table && !strings.ContainsAny(line, "\"`") {
				t.Errorf("%s:%d: %d columns, want at most %d", path, n, columns, width)
			}
			raw = raw != (strings.Count(line, "`")%2 == 1)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestBuildIsReproducible builds copies of the sources in two folders, by the command of the
// Dockerfile: the binaries must be equal to the byte, and know the version that the image is given.
// With TICKERCAST_REBUILD=1 the second build has an empty cache, and so compiles everything again.
func TestBuildIsReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("two builds")
	}
	docker, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`(?m)^RUN (.* go build .*) -o \S+ (\S+)$`).FindSubmatch(docker)
	if command == nil {
		t.Fatal("the Dockerfile has no line that builds")
	}
	var binaries [2][]byte
	for i, name := range []string{"a", "another folder/of sources"} {
		dir := filepath.Join(t.TempDir(), name)
		copySources(t, dir)
		cmd := exec.CommandContext(t.Context(), "sh", "-c",
			string(command[1])+" -o tickercast "+string(command[2]))
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "VERSION=1.2.0-test")
		if i == 1 && os.Getenv("TICKERCAST_REBUILD") == "1" {
			cmd.Env = append(cmd.Env, "GOCACHE="+t.TempDir())
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if binaries[i], err = os.ReadFile(filepath.Join(dir, "tickercast")); err != nil {
			t.Fatal(err)
		}
		printed, err := exec.CommandContext(t.Context(), filepath.Join(dir, "tickercast"),
			"version").Output()
		if err != nil || !strings.HasPrefix(string(printed), "tickercast 1.2.0-test ") {
			t.Errorf("version: got %q, %v, want 1.2.0-test", printed, err)
		}
		if bytes.Contains(binaries[i], []byte(dir)) {
			t.Error("the binary names the folder that it was built in")
		}
	}
	if !bytes.Equal(binaries[0], binaries[1]) {
		t.Errorf("two builds differ: %d and %d bytes", len(binaries[0]), len(binaries[1]))
	}
}

// copySources copies the files that the binary is built from, as the go command lists them.
func copySources(t *testing.T, to string) {
	t.Helper()
	const files = `{{if .Module}}{{$p := .}}` +
		`{{range .GoFiles}}{{$p.Dir}}/{{.}}{{"\n"}}{{end}}` +
		`{{range .EmbedFiles}}{{$p.Dir}}/{{.}}{{"\n"}}{{end}}{{end}}`
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", files, ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(strings.Fields(string(out)), root+"/go.mod", root+"/go.sum") {
		relative, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(to, relative)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

type goPackage struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
}

func goList(t *testing.T, args ...string) (pkgs []goPackage) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go",
		append([]string{"list", "-json=ImportPath,Standard,Imports,Deps"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p goPackage
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	return pkgs
}
