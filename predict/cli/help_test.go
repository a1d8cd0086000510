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
	wants := strings.Split(string(want), "\n")
	for i, line := range strings.Split(all.String(), "\n") {
		if i >= len(wants) || line != wants[i] {
			t.Fatalf("line %d is %q; go test -run HelpTexts ./predict/cli -update writes it to %s",
				i+1, line, golden)
		}
		require.LessOrEqual(t, utf8.RuneCountInString(line), 100, line)
	}
	require.Len(t, all.String(), len(want), "texts end early")
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
