// Package check tests the deploy kit in the folder above. It has no code but tests:
//
//	go -C docs/deploy/check test .
//
// Kustomize renders the Kubernetes objects. The code of the API server decodes, defaults and
// validates them, and checks the pods against the restricted Pod Security Standard. It is no
// cluster: nothing is scheduled or started. kubectl, which the tests build, runs the documented
// commands against a fake API server with that validation.
// Compose's own loader reads the compose file, and systemd-analyze the unit where it is installed.
// Prometheus parses the queries of alerts and dashboard and evaluates the alerts. Metrics, flags
// and probes are compared with those of a server that the tests build and start.
//
// With MANIFESTS set to a folder, the rendered objects are written there for other validators.
//
// The package is a module of its own, so that the server's module has no dependencies.
package check
