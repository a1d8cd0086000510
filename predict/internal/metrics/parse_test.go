package metrics_test

import (
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"
)

// parsed is a text of metrics: the type of each family, and the value of each series under its name
// as written.
type parsed struct {
	types  map[string]string
	values map[string]float64
}

var (
	sampleLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)` +
		`(\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)+)\})? (\S+)$`)
	leLabel = regexp.MustCompile(`,?le="([^"]*)"`)
)

// parse reads the text format more strictly than its definition: HELP, then TYPE, then all samples
// of the family; families and series sorted, none twice; the buckets of a histogram rise, end in
// +Inf, and agree with its count.
func parse(t *testing.T, text []byte) parsed {
	t.Helper()
	p := parsed{map[string]string{}, map[string]float64{}}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		t.Fatal("the last line does not end")
	}
	family, helped := "", ""
	var names []string
	lastBucket, lastLe := map[string]float64{}, map[string]string{}
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		fail := func(why string) { t.Helper(); t.Fatalf("line %d: %s: %q", i+1, why, line) }
		if name, ok := strings.CutPrefix(line, "# HELP "); ok {
			helped, _, _ = strings.Cut(name, " ")
			continue
		}
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, typ, _ := strings.Cut(rest, " ")
			if name != helped || p.types[name] != "" {
				fail("TYPE without HELP, or twice")
			}
			if typ != "counter" && typ != "gauge" && typ != "histogram" {
				fail("unknown type")
			}
			family, p.types[name] = name, typ
			names = append(names, name)
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		if m == nil {
			fail("not a sample")
		}
		v, err := strconv.ParseFloat(m[4], 64)
		if err != nil {
			fail(err.Error())
		}
		if _, twice := p.values[m[1]+m[2]]; twice {
			fail("series twice")
		}
		p.values[m[1]+m[2]] = v
		if p.types[family] != "histogram" {
			if m[1] != family {
				fail("sample outside its family " + family)
			}
			continue
		}
		rest := leLabel.ReplaceAllString(m[3], "")
		switch m[1] {
		case family + "_bucket":
			if v < lastBucket[rest] {
				fail("bucket below the one before")
			}
			lastBucket[rest], lastLe[rest] = v, leLabel.FindStringSubmatch(m[3])[1]
		case family + "_count":
			if lastLe[rest] != "+Inf" || v != lastBucket[rest] {
				fail("count is not the last bucket")
			}
			delete(lastBucket, rest)
			delete(lastLe, rest)
		case family + "_sum":
		default:
			fail("sample outside its family " + family)
		}
	}
	if !sort.StringsAreSorted(names) {
		t.Fatalf("families out of order: %q", names)
	}
	return p
}
