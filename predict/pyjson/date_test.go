package pyjson

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// update writes the vectors anew, from Pydantic.
var update = flag.Bool("update", false, "write testdata/dates.txt")

// dateOf is what ToDate makes of a JSON value: a date, or the rule as Pydantic shows an error.
func dateOf(t testing.TB, value string) string {
	t.Helper()
	d, err := Parse([]byte(value))
	if err != nil {
		t.Fatalf("%s: %v", value, err)
	}
	text := d.Raw(0)
	if d.Kind(0) == String {
		text = d.Text(0)
	}
	days, rule := ToDate(d.Kind(0), text)
	if rule == nil {
		return time.Unix(int64(days)*secondsPerDay, 0).UTC().Format(time.DateOnly)
	}
	s := fmt.Sprintf(`{"type":"%s","msg":"%s"`, rule.Type, rule.Msg)
	if rule.Ctx != "" {
		s += `,"ctx":` + rule.Ctx
	}
	return s + "}"
}

// TestDates compares with a file of what Pydantic said: an outcome, then the values that have it.
func TestDates(t *testing.T) {
	file, err := os.ReadFile("testdata/dates.txt")
	if err != nil {
		t.Fatal(err)
	}
	want, values := "", 0
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSuffix(line, "\n")
		if outcome, ok := strings.CutPrefix(line, "= "); ok {
			want = outcome
			continue
		}
		values++
		if got := dateOf(t, line); got != want {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
	if values < 300 {
		t.Errorf("%d values, want 300", values)
	}
}

// pydantic prints what Pydantic makes of JSON values, one a line.
const pydantic = `
import json, sys
from datetime import date
from pydantic import TypeAdapter, ValidationError
t = TypeAdapter(date)
for line in sys.stdin:
    try:
        print(t.validate_python(json.loads(line)).isoformat())
    except ValidationError as e:
        error, = e.errors(include_url=False, include_input=False)
        print(json.dumps({k: error[k] for k in ("type", "msg", "ctx") if k in error},
            separators=(",", ":")))
`

// TestDatesOfPydantic compares with Pydantic itself, where there is a Python that has it: the one
// that TICKERCAST_PYDANTIC_PYTHON names, or else python3. Before 2.14 Pydantic read a few numbers
// in another way: fractions below zero, and those in a string that are out of range.
func TestDatesOfPydantic(t *testing.T) {
	named := os.Getenv("TICKERCAST_PYDANTIC_PYTHON")
	python := cmp.Or(named, "python3")
	version, err := exec.CommandContext(t.Context(), python, "-c",
		"import pydantic; print(pydantic.VERSION)").Output()
	if err != nil && named != "" {
		t.Fatalf("%s has no Pydantic: %v", python, err)
	}
	if err != nil {
		t.Skip("there is no python3 with Pydantic; TICKERCAST_PYDANTIC_PYTHON may name one")
	}
	if old := regexp.MustCompile(`^(1|2\.\d|2\.1[0-3])\.`); old.Match(version) && named == "" {
		t.Skipf("Pydantic %s is older than 2.14", bytes.TrimSpace(version))
	}
	n := 300_000
	if testing.Short() {
		n = 20_000
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("Pydantic %s, %d values of seed %d", bytes.TrimSpace(version), n, seed)
	values := slices.Clone(plainDates)
	for g := (dateMaker{rand.New(rand.NewPCG(seed, 0))}); len(values) < n; {
		values = append(values, g.value())
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", pydantic)
	cmd.Stdin, cmd.Stderr = strings.NewReader(strings.Join(values, "\n")), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	outcomes := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(outcomes) != len(values) {
		t.Fatalf("%d outcomes of %d values", len(outcomes), len(values))
	}
	wrong := 0
	by := map[string][]string{} // values by outcome, all dates under one
	for i, want := range outcomes {
		if got := dateOf(t, values[i]); got != want {
			if wrong++; wrong <= 20 {
				t.Errorf("%s: got %s, want %s", values[i], got, want)
			}
		}
		kind := want
		if !strings.HasPrefix(want, "{") {
			kind = ""
		}
		by[kind] = append(by[kind], values[i]+"\t"+want)
	}
	t.Logf("%d outcomes beside dates, %d dates, %d values differ", len(by)-1, len(by[""]), wrong)
	if len(by) < 25 || len(by[""]) < n/10 {
		t.Error("the values have too few outcomes")
	}
	if *update {
		writeVectors(t, by)
	}
}

// writeVectors keeps the first values of each kind of outcome.
func writeVectors(t *testing.T, by map[string][]string) {
	lists := map[string][]string{}
	for kind, list := range by {
		keep := 10
		if kind == "" {
			keep = 100
		}
		for _, pair := range list[:min(keep, len(list))] {
			value, outcome, _ := strings.Cut(pair, "\t")
			if !slices.Contains(lists[outcome], value) {
				lists[outcome] = append(lists[outcome], value)
			}
		}
	}
	var b bytes.Buffer
	outcomes := make([]string, 0, len(lists))
	for o := range lists {
		outcomes = append(outcomes, o)
	}
	slices.Sort(outcomes)
	for _, o := range outcomes {
		fmt.Fprintf(&b, "= %s\n%s\n", o, strings.Join(lists[o], "\n"))
	}
	if err := os.WriteFile("testdata/dates.txt", b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// FuzzDate: a date that is accepted is the one that stands in front, or a number.
func FuzzDate(f *testing.F) {
	for _, s := range []string{"2024-02-29", "2023-02-29", "0000-01-01", "9999-12-31", "2024-13-01",
		"2024-1-1", "", "-", "2024-01-01T", "2024-01-01x", "20240101", "2024-02-29T00:00:00.0-05:00",
		"1709164800", "-1.5", ".", "+.0", "1e400", "99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		days, rule := ToDate(String, []byte(s))
		front := s[:min(len(s), len(time.DateOnly))]
		date, err := time.Parse(time.DateOnly, front)
		switch {
		case rule == nil && err == nil && int64(days) != date.Unix()/secondsPerDay:
			t.Errorf("%q: got day %d", s, days)
		case rule == nil && err != nil && strings.Trim(s, "0123456789+-.eE") != "":
			t.Errorf("%q is taken for a number", s)
		case rule != nil && err == nil && front == s && date.Year() > 0:
			t.Errorf("%q is refused: %v", s, rule)
		}
	})
}
