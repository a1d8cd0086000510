package cli_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTable(t *testing.T) {
	status, got, stderr := runCommand(t, nil, "predict", "-prices", twoTickers(t, 120), "-days",
		"2", "-confidence", "0.8,0.95", "all")
	require.Equal(t, 0, status, stderr)
	require.Regexp(t, `^ACME  [\d.]+ on 2024-06-24\n`+
		` +date +days +predicted +80 % within +95 % within\n`+
		` +2024-06-25 +1 +[\d.]+ +[\d.]+ - [\d.]+ +[\d.]+ - [\d.]+\n`+
		` +2024-06-26 +2 +[\d.]+ +[\d.]+ - [\d.]+ +[\d.]+ - [\d.]+\n`+
		`\nBETA `, got)
}
