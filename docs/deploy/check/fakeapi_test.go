package check

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"sigs.k8s.io/yaml"
)

// resources are what kubectl can find on a fakeAPI.
var resources = []struct {
	group, version, name, kind string
}{
	{"", "v1", "namespaces", "Namespace"},
	{"", "v1", "configmaps", "ConfigMap"},
	{"", "v1", "secrets", "Secret"},
	{"", "v1", "services", "Service"},
	{"apps", "v1", "deployments", "Deployment"},
	{"autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"},
	{"policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget"},
	{"networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"},
	{"monitoring.coreos.com", "v1", "servicemonitors", "ServiceMonitor"},
	{"monitoring.coreos.com", "v1", "prometheusrules", "PrometheusRule"},
	{"serving.kserve.io", "v1beta1", "inferenceservices", "InferenceService"},
}

// A fakeAPI is an API server with no more than kubectl needs to write objects. What is written is
// validated by the real server's code. It runs nothing.
type fakeAPI struct {
	mu      sync.Mutex
	objects map[string][]byte // as JSON, by path
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	status, answer := f.answer(w, r)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(answer)
}

func (f *fakeAPI) answer(w http.ResponseWriter, r *http.Request) (int, any) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 3<<20)) // as the real one
	if err != nil {
		return refusal(http.StatusRequestEntityTooLarge, err.Error())
	}
	path := r.URL.Path
	if found := discovery(path); found != nil {
		return http.StatusOK, found
	}
	old, ok := f.objects[path]
	next := body
	switch kind := r.Header.Get("Content-Type"); {
	case r.Method == http.MethodGet && ok:
		return http.StatusOK, json.RawMessage(old)
	case r.Method == http.MethodGet:
		return refusal(http.StatusNotFound, "not found")
	case kind == "application/apply-patch+yaml":
		next, err = yaml.YAMLToJSON(body)
	case kind == "application/strategic-merge-patch+json" && ok:
		next, err = merge(old, body)
	case kind == "application/vnd.kubernetes.protobuf":
		next, err = fromProtobuf(body)
	}
	var head metav1.PartialObjectMetadata
	if err == nil {
		err = json.Unmarshal(next, &head)
	}
	if err == nil {
		err = create(next)
	}
	if err != nil {
		return refusal(http.StatusUnprocessableEntity, err.Error())
	}
	if r.Method == http.MethodPost {
		path += "/" + head.Name
	}
	if namespace, _, ok := strings.Cut(path, "/namespaces/"); ok && head.Kind != "Namespace" {
		// A namespace must be there before what is in it.
		name, _, _ := strings.Cut(path[len(namespace+"/namespaces/"):], "/")
		if f.objects["/api/v1/namespaces/"+name] == nil && name != metav1.NamespaceDefault {
			return refusal(http.StatusNotFound, "namespaces "+name+" not found")
		}
	}
	f.objects[path] = next
	return http.StatusOK, json.RawMessage(next)
}

func merge(old, patch []byte) ([]byte, error) {
	var head metav1.PartialObjectMetadata
	if err := json.Unmarshal(old, &head); err != nil {
		return nil, err
	}
	object, err := legacyscheme.Scheme.New(head.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	return strategicpatch.StrategicMergePatch(old, patch, object)
}

func fromProtobuf(body []byte) ([]byte, error) {
	object, kind, err := legacyscheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	if err != nil {
		return nil, err
	}
	object.GetObjectKind().SetGroupVersionKind(*kind)
	return json.Marshal(object)
}

func refusal(code int, message string) (int, any) {
	reason := metav1.StatusReasonInvalid
	if code == http.StatusNotFound {
		reason = metav1.StatusReasonNotFound
	}
	return code, metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status: metav1.StatusFailure, Reason: reason, Message: message, Code: int32(code)}
}

// discovery answers which kinds there are, and in OpenAPI that all of them are decoded strictly.
func discovery(path string) any {
	groups := metav1.APIGroupList{}
	lists := map[string]*metav1.APIResourceList{}
	documents, patches := map[string]any{}, map[string]map[string]any{}
	for _, r := range resources {
		gv := schema.GroupVersion{Group: r.group, Version: r.version}
		at := "apis/" + gv.String()
		if r.group == "" {
			at = "api/v1"
		}
		if lists[at] == nil {
			lists[at] = &metav1.APIResourceList{GroupVersion: gv.String()}
			documents[at] = map[string]string{"serverRelativeURL": "/openapi/v3/" + at}
			patches[at] = map[string]any{}
			if r.group != "" {
				v := metav1.GroupVersionForDiscovery{GroupVersion: gv.String(), Version: r.version}
				groups.Groups = append(groups.Groups, metav1.APIGroup{Name: r.group,
					Versions: []metav1.GroupVersionForDiscovery{v}, PreferredVersion: v})
			}
		}
		lists[at].APIResources = append(lists[at].APIResources, metav1.APIResource{Name: r.name,
			Kind: r.kind, Namespaced: r.kind != "Namespace",
			Verbs: metav1.Verbs{"get", "create", "patch"}})
		patches[at]["/"+r.name] = map[string]any{"patch": map[string]any{
			"parameters":                      []any{map[string]string{"name": "fieldValidation", "in": "query"}},
			"x-kubernetes-group-version-kind": map[string]string{"group": r.group, "version": r.version, "kind": r.kind},
		}}
	}
	document, _ := strings.CutPrefix(path, "/openapi/v3/")
	switch list := lists[strings.TrimPrefix(path, "/")]; {
	case list != nil:
		return list
	case path == "/api":
		return metav1.APIVersions{Versions: []string{"v1"}}
	case path == "/apis":
		return groups
	case path == "/openapi/v3":
		return map[string]any{"paths": documents}
	case patches[document] != nil:
		return map[string]any{"openapi": "3.0.0", "paths": patches[document],
			"info": map[string]string{"title": "Kubernetes", "version": "v1"}}
	}
	return nil
}
