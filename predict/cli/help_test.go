package cli_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// TestHelpTexts compares all help texts with a file of them, which -update writes anew.
func TestHelpTexts(t *testing.T) {
	_, list, _ := runCommand(t, nil, "help")
	var all strings.Builder
	all.WriteString(list)
	for _, c := range regexp.MustCompile(`(?m)^  (\w+) `).FindAllStringSubmatch(list, -1) {
		if c[1] != "help" {
			_, one, _ := runCommand(t, nil, "help", c[1])
			all.WriteString("\n-----\n\n" + one)
		}
	}
	const golden = "testdata/help.txt"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(all.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), all.String(), "go test -run HelpTexts ./predict/cli -update")
	for line := range strings.Lines(all.String()) {
		require.LessOrEqual(t, utf8.RuneCountInString(line), 101, line)
	}
}

// TestFlagsAreGrouped wants each flag of serve under one title.
func TestFlagsAreGrouped(t *testing.T) {
	_, help, _ := runCommand(t, nil, "help", "serve")
	require.NotContains(t, help, "\nFlags:\n", "a flag of serve is in no group of groupsOf")
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^  -([a-z0-9-]+)`).FindAllStringSubmatch(help, -1) {
		require.False(t, seen[m[1]], "-%s is there twice", m[1])
		seen[m[1]] = true
	}
}
