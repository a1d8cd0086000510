package check

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/distribution/reference"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write what kustomize renders into the folder rendered")

// rendered are the files that the program embeds, by the folder that they are rendered from.
var rendered = map[string]string{"base": "base.yaml", "overlays/small": "small.yaml"}

// TestRendered compares the embedded files with what kustomize renders.
func TestRendered(t *testing.T) {
	for folder, file := range rendered {
		want := renderYAML(t, folder)
		path := filepath.Join("..", "rendered", file)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what kustomize makes of %s, %v; run: "+
				"go -C docs/deploy/check test -run TestRendered . -update", path, folder, err)
		}
	}
}

// printed is what the command manifests prints.
func printed(t *testing.T, args ...string) []byte {
	t.Helper()
	out, err := newServer(t).command(t, append([]string{"manifests"}, args...)...).Output()
	if err != nil {
		t.Fatalf("manifests %q: %v", args, err)
	}
	return out
}

// TestManifestsAreKustomize compares the command manifests with kustomize, which is given the same
// image and namespace by its own settings.
func TestManifestsAreKustomize(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0a", 32)
	for _, tt := range []struct{ folder, small, image, namespace string }{
		{"overlays/small", "true", "", ""},
		{"overlays/small", "true", "tickercast:2.0.0", "prices"},
		{"overlays/small", "true", "registry.example.com:5000/team/forecasts:1e3", "1e3"},
		{"overlays/small", "true", "ghcr.io/team/forecasts@" + digest, "on"},
		{"base", "false", "forecasts:007", "007"},
		{"base", "false", "localhost/a/b__c:v1.2_x-y", "null"},
	} {
		args, settings := []string{"-small=" + tt.small}, []string{}
		if tt.image != "" {
			args = append(args, "-image", tt.image)
			settings = append(settings, kustomizeImage(tt.image)...)
		}
		if tt.namespace != "" {
			args = append(args, "-namespace", tt.namespace)
			settings = append(settings, "namespace: '"+tt.namespace+"'")
		}
		want := values(t, kustomize(t, tt.folder, settings...))
		var got []any
		for doc := range strings.SplitSeq(string(printed(t, args...)), "\n---\n") {
			var o map[string]any
			if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
				t.Fatal(err)
			}
			got = append(got, o)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("manifests %q: got %v, want %v", args, got, want)
		}
	}
}

// kustomizeImage makes the setting of an image, whose tag or digest stands apart from its name.
func kustomizeImage(image string) []string {
	setting := []string{"images:", "- name: tickercast"}
	if name, digest, ok := strings.Cut(image, "@"); ok {
		return append(setting, "  newName: "+name, "  digest: "+digest)
	}
	at := strings.LastIndex(image, ":")
	return append(setting, "  newName: "+image[:at], "  newTag: '"+image[at+1:]+"'")
}

func values(t *testing.T, resources resmap.ResMap) (objects []any) {
	t.Helper()
	for _, r := range resources.Resources() {
		var o map[string]any
		text, err := r.AsYAML()
		if err == nil {
			err = yaml.Unmarshal(text, &o)
		}
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, o)
	}
	return objects
}

// TestImageReferences compares which references the command takes with the parser of kubelets.
func TestImageReferences(t *testing.T) {
	hex := strings.Repeat("0123456789abcdef", 4)
	for _, image := range []string{"a", "a:1", "a/b/c", "host:5000/a", "host:5000/a:1@sha256:" + hex,
		"Host.example/a", "[2001:db8::1]:5000/a", "a__b", "a.b-c_d", "a---b", "a:" + hex + hex,
		"", " a", "a ", "A", "a:", "a:-b", "a@", "a@sha256:12", "a___b", "a..b", "-a", "a-", "a/",
		"/a", "a//b", "http://a", "a:1:2", "a b", "a\nb", "a\"b", "ä", "a@sha256:" + hex + "g",
		"a:" + hex + hex + "x"} {
		_, want := reference.ParseNormalizedNamed(image)
		err := newServer(t).command(t, "manifests", "-image", image).Run()
		if (err == nil) != (want == nil) {
			t.Errorf("%q: got %v, kubelets %v", image, err, want)
		}
	}
}
