package cli_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestManifests wants the image and the namespace in the objects, each where YAML reads a string.
// The module docs/deploy/check compares the rest with kustomize.
func TestManifests(t *testing.T) {
	status, plain, _ := runCommand(t, nil, "manifests")
	require.Equal(t, 0, status)
	require.Contains(t, plain, "\n  replicas: 1\n")
	require.Contains(t, plain, `image: "tickercast:1.0.0"`)
	require.NotContains(t, plain, "namespace:")
	require.NotContains(t, plain, "HorizontalPodAutoscaler")

	image := "registry.example.com:5000/team/tickercast:2.0@sha256:" + strings.Repeat("ab", 32)
	status, out, _ := runCommand(t, nil, "manifests", "-small=false", "-image", image, "-namespace",
		"1e3")
	require.Equal(t, 0, status)
	require.Contains(t, out, `image: "`+image+`"`)
	require.Contains(t, out, "kind: HorizontalPodAutoscaler")
	objects := strings.Count(out, "\nkind: ")
	require.Equal(t, objects, strings.Count(out, "\n  namespace: \"1e3\"\n"))
}

func TestManifestsRefuses(t *testing.T) {
	for _, tt := range [][2]string{
		{"-image", ""},
		{"-image", "Tickercast"},
		{"-image", "tickercast:1.0.0 "},
		{"-image", "https://registry.example.com/tickercast"},
		{"-image", "tickercast:1\nprivileged: true"},
		{"-image", "tickercast@sha256:abc"},
		{"-namespace", "Prod"},
		{"-namespace", "a.b"},
		{"-namespace", "-a"},
		{"-namespace", strings.Repeat("a", 64)},
		{"-namespace", "a\nb"},
	} {
		status, out, errs := runCommand(t, nil, "manifests", tt[0], tt[1])
		require.Equal(t, 2, status, "%q", tt)
		require.Empty(t, out, "%q", tt)
		require.Contains(t, errs, strings.TrimPrefix(tt[0], "-"), "%q", tt)
	}
}
