package cli_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBashCompletes(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	_, script, _ := runCommand(t, nil, "completion", "bash")
	for line, want := range map[string]string{
		"tickercast ev":               "evaluate",
		"tickercast predict -as":      "-as-of",
		"tickercast serve -drain-del": "-drain-delay",
	} {
		words := strings.Fields(line)
		ask := script + "COMP_WORDS=(" + line + "); COMP_CWORD=" +
			[]string{"", "1", "2"}[len(words)-1] + "; _tickercast; echo \"${COMPREPLY[*]}\""
		out, err := exec.CommandContext(t.Context(), bash, "-c", ask).Output()
		require.NoError(t, err)
		require.Equal(t, want+"\n", string(out), line)
	}
}

func TestCompletionOfOtherShells(t *testing.T) {
	for _, shell := range []string{"zsh", "fish"} {
		status, script, _ := runCommand(t, nil, "completion", shell)
		require.Equal(t, 0, status)
		require.Contains(t, script, "as-of", shell)
	}
	status, _, stderr := runCommand(t, nil, "completion", "csh")
	require.Equal(t, 2, status)
	require.Contains(t, stderr, `"csh"`)
	status, _, _ = runCommand(t, nil, "completion")
	require.Equal(t, 2, status)
}
