package cli_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		status, script, _ := runCommand(t, nil, "completion", shell)
		require.Equal(t, 0, status)
		require.Contains(t, script, "__complete", shell)
		_, help, _ := runCommand(t, nil, "help", "completion")
		require.Contains(t, help, "completion "+shell, "it says how to install the script")
	}
	status, _, stderr := runCommand(t, nil, "completion", "csh")
	require.Equal(t, 2, status)
	require.Contains(t, stderr, `"csh"`)
	status, _, _ = runCommand(t, nil, "completion")
	require.Equal(t, 2, status)
}
