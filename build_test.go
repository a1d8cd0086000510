package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBuildIsReproducible builds copies of the sources in two folders, by the command of the
// Dockerfile: the binaries must be equal to the byte. With TICKERCAST_REBUILD=1 the second build
// has an empty cache, and so compiles everything again.
func TestBuildIsReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("two builds")
	}
	docker, err := os.ReadFile("Dockerfile")
	require.NoError(t, err)
	command := regexp.MustCompile(`(?m)^RUN (.* go build .*) -o \S+ (\S+)$`).FindSubmatch(docker)
	require.NotNil(t, command, "the Dockerfile has no line that builds")
	var binaries [2][]byte
	for i, name := range []string{"a", "another folder/of sources"} {
		dir := filepath.Join(t.TempDir(), name)
		copySources(t, dir)
		cmd := exec.CommandContext(t.Context(), "sh", "-c",
			string(command[1])+" -o tickercast "+string(command[2]))
		cmd.Dir = dir
		cmd.Env = os.Environ()
		if i == 1 && os.Getenv("TICKERCAST_REBUILD") == "1" {
			cmd.Env = append(cmd.Env, "GOCACHE="+t.TempDir())
		}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		binaries[i], err = os.ReadFile(filepath.Join(dir, "tickercast"))
		require.NoError(t, err)
		require.False(t, bytes.Contains(binaries[i], []byte(dir)),
			"the binary names the folder that it was built in")
	}
	require.True(t, bytes.Equal(binaries[0], binaries[1]), "two builds differ: %d and %d bytes",
		len(binaries[0]), len(binaries[1]))
}

// copySources copies what the binary is built from, as the go command lists it.
func copySources(t *testing.T, to string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps",
		"-f", `{{if .Module}}{{$p := .}}{{range .GoFiles}}{{$p.Dir}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$p.Dir}}/{{.}}{{"\n"}}{{end}}{{end}}`, ".").Output()
	require.NoError(t, err)
	root, err := os.Getwd()
	require.NoError(t, err)
	files := append(strings.Fields(string(out)), filepath.Join(root, "go.mod"),
		filepath.Join(root, "go.sum"))
	if pgo := filepath.Join(root, "default.pgo"); exists(pgo) {
		files = append(files, pgo)
	}
	for _, file := range files {
		relative, err := filepath.Rel(root, file)
		require.NoError(t, err)
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		target := filepath.Join(to, relative)
		require.NoError(t, os.MkdirAll(filepath.Dir(target), 0o755))
		require.NoError(t, os.WriteFile(target, data, 0o644))
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestBillOfMaterials(t *testing.T) {
	status, out, stderr := runCommand(t, nil, "version", "-sbom")
	require.Equal(t, 0, status, stderr)
	var b bom
	require.NoError(t, json.Unmarshal([]byte(out), &b))
	require.Equal(t, "CycloneDX", b.Format)
	require.Equal(t, "tickercast", b.Metadata.Component.Name)
	refs := map[string]bool{}
	for _, c := range append(b.Components, b.Metadata.Component) {
		require.Regexp(t, `^pkg:golang/[^@]+@[^@]+$`, c.PURL)
		require.False(t, refs[c.Ref], "%s twice", c.Ref)
		refs[c.Ref] = true
	}
	require.Equal(t, "std", b.Components[0].Name)
	require.Regexp(t, `^1\.\d+`, b.Components[0].Version)
	_, again, _ := runCommand(t, nil, "version", "-sbom")
	require.Equal(t, out, again)
}
