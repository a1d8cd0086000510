// Package check tests the deploy kit in the folder above. It has no code but tests:
//
//	go -C docs/deploy/check test .
//
// Kustomize renders the Kubernetes objects, which are decoded strictly into the types of the API.
// The code of the API server checks the pods against the restricted Pod Security Standard.
// Compose's own loader reads the compose file, and systemd-analyze the unit where it is installed.
// Prometheus parses the queries of alerts and dashboard and evaluates the alerts. Metrics, flags
// and probes are compared with those of a server that the tests build and start.
//
// With MANIFESTS set to a folder, the rendered objects are written there for other validators.
//
// The package is a module of its own, so that the server's module has no dependencies.
package check
