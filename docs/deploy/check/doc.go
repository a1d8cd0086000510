// Package check holds the deploy kit in the folder above to what it is deployed to, in tests alone:
//
//	go -C docs/deploy/check test .
//
// Kubernetes objects are rendered by kustomize and decoded strictly into the types of the
// Kubernetes API; their pods are held to the restricted Pod Security Standard by the code that the
// API server has for it; the compose file is loaded by Compose's own loader; PromQL in alerts and
// dashboard is parsed by Prometheus, and every metric that it names must be one of a server that
// the test starts; each alert is evaluated with and without what it is for; environment variables
// must be flags of that server; the unit is read by systemd-analyze where there is one.
//
// With MANIFESTS set to a folder the rendered objects are left there, for validators of other
// languages.
//
// It is a module of its own so that the server's has no dependency.
package check
