package check

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	core "k8s.io/api/core/v1"
)

// TestPricesCommand publishes prices of 1 MiB, as much as a ConfigMap holds, three times with
// kubectl and the command that the kit documents. A client-side apply of the same file is refused.
func TestPricesCommand(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "kubernetes", "components", "prices",
		"kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	command := documented(t, strings.ReplaceAll(string(text), "\n#", "\n"))
	text, err = os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if got := documented(t, string(text)); strings.ReplaceAll(got, " -n tickercast", "") != command {
		t.Errorf("the README says %q, the component %q", got, command)
	}

	run := kubectl(t)
	for i := range 3 {
		want := run.prices(t, 1<<20, uint64(i))
		if out, err := run.sh(t, command); err != nil {
			t.Fatalf("%s: %v: %s", command, err, out)
		}
		var got core.ConfigMap
		run.object(t, "/api/v1/namespaces/default/configmaps/tickercast-prices", &got)
		if string(got.BinaryData["prices.csv.gz"]) != string(want) {
			t.Errorf("%s: the ConfigMap does not hold the file", command)
		}
	}

	client := strings.Replace(command, " --server-side --force-conflicts", "", 1)
	out, err := run.sh(t, client)
	if client == command || err == nil || !strings.Contains(out, "metadata.annotations: Too long") {
		t.Errorf("%s: got %v, %s, want annotations that are too long", client, err, out)
	}
	run.prices(t, 1<<20+1, 9)
	out, err = run.sh(t, command)
	if err == nil || !strings.Contains(out, "Too long") {
		t.Errorf("1 MiB and a byte: got %v, %s, want a refusal", err, out)
	}
}

// documented finds the command that publishes prices, without the namespace. It goes on in the next
// line after a backslash or a |.
func documented(t *testing.T, text string) string {
	t.Helper()
	text = strings.NewReplacer("\\\n", "", " -n tickercast", "").Replace(text)
	at := strings.Index(text, "kubectl create configmap tickercast-prices")
	if at < 0 {
		t.Fatal("no command that publishes prices")
	}
	var words []string
	for line := range strings.Lines(text[at:]) {
		words = append(words, strings.Fields(line)...)
		if words[len(words)-1] != "|" {
			break
		}
	}
	return strings.Join(words, " ")
}

// A shell runs commands in a folder of its own. It finds the program that the tests built, and
// kubectl of the version in go.mod, which writes to a fake API server.
type shell struct {
	dir string
	api *fakeAPI
}

var buildKubectl = sync.OnceValues(func() (string, error) {
	return goBuild("kubectl", ".", "k8s.io/kubernetes/cmd/kubectl")
})

func kubectl(t *testing.T) shell {
	t.Helper()
	newServer(t)
	_, err := buildKubectl()
	if err != nil {
		t.Fatal(err)
	}
	s := shell{t.TempDir(), &fakeAPI{objects: map[string][]byte{}}}
	server := httptest.NewServer(s.api)
	t.Cleanup(server.Close)
	config := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: c,
		contexts: [{name: c, context: {cluster: c}}],
		clusters: [{name: c, cluster: {server: %q}}]}`, server.URL)
	err = os.WriteFile(filepath.Join(s.dir, "kubeconfig"), []byte(config), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// object decodes what is stored at a path.
func (s shell) object(t *testing.T, path string, to any) {
	t.Helper()
	s.api.mu.Lock()
	defer s.api.mu.Unlock()
	if err := json.Unmarshal(s.api.objects[path], to); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// TestReadmeCommands runs the commands of the README that install the kit, in their order.
func TestReadmeCommands(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	docs, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	run := kubectl(t)
	run.prices(t, 1<<20, 0)
	if err := os.Symlink(docs, filepath.Join(run.dir, "docs")); err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile(`(?m)(?:^    .*\n)+`).FindAllString(string(text), -1) {
		if strings.Contains(block, "kubectl apply") {
			if out, err := run.sh(t, "set -e\n"+block); err != nil {
				t.Errorf("%s: %v: %s", block, err, out)
			}
		}
	}
	for _, path := range []string{
		"/apis/apps/v1/namespaces/default/deployments/tickercast",
		"/apis/apps/v1/namespaces/tickercast/deployments/tickercast",
		"/apis/monitoring.coreos.com/v1/namespaces/tickercast/prometheusrules/tickercast",
		"/api/v1/namespaces/tickercast/configmaps/tickercast-prices",
		"/api/v1/namespaces/tickercast/secrets/tickercast-admin",
		"/apis/serving.kserve.io/v1beta1/namespaces/default/inferenceservices/tickercast"} {
		run.object(t, path, new(map[string]any))
	}
}

func (s shell) sh(t *testing.T, command string) (string, error) {
	cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "PATH="+binaries+":"+os.Getenv("PATH"), "HOME="+s.dir,
		"KUBECONFIG="+filepath.Join(s.dir, "kubeconfig"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// prices writes a file that does not compress, so that it is binary data, as gzip is.
func (s shell) prices(t *testing.T, size int, seed uint64) []byte {
	t.Helper()
	data := make([]byte, size)
	random := rand.NewChaCha8([32]byte{byte(seed)})
	random.Read(data)
	data[0] = 0xff // no UTF-8
	if err := os.WriteFile(filepath.Join(s.dir, "prices.csv.gz"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	return data
}
