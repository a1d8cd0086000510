package command

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestExitCode(t *testing.T) {
	for _, tt := range []struct {
		err    error
		code   int
		stderr string
	}{
		{nil, 0, ""},
		{flag.ErrHelp, 0, ""},
		{errors.New("no luck"), 1, "x: no luck\n"},
		{fmt.Errorf("%w: -n is missing", ErrUsage), 2, "x: usage: -n is missing\n"},
	} {
		var stderr strings.Builder
		if code := exitCode("x", tt.err, &stderr); code != tt.code || stderr.String() != tt.stderr {
			t.Errorf("%v: code %d, %q; want %d, %q", tt.err, code, &stderr, tt.code, tt.stderr)
		}
	}
}

func TestParse(t *testing.T) {
	for args, want := range map[string]error{
		"-n 3": nil, "-n x": ErrUsage, "more": ErrUsage, "-h": flag.ErrHelp,
	} {
		fs := flag.NewFlagSet("x", flag.ContinueOnError)
		fs.Int("n", 0, "a number")
		if err := Parse(fs, strings.Fields(args), io.Discard); !errors.Is(err, want) {
			t.Errorf("%q: error %v, want %v", args, err, want)
		}
	}
}
