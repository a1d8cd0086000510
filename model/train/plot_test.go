package train

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"tickercast/model"
	"tickercast/model/calendar"
)

// TestPlotOfAQuarterThatHasJustBegun draws evaluations that end in the first days of a quarter, of
// which nothing is known yet at ten days ahead.
func TestPlotOfAQuarterThatHasJustBegun(t *testing.T) {
	m, err := model.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	p := walkPanel(t, 3, 3, 500)
	days := p.TradingDays()
	unknown := 0
	for i := 400; i < len(days)-2; i++ {
		if quarterOf(days[i]) == quarterOf(days[i-1]) {
			continue
		}
		e, err := Evaluate(t.Context(), p.Until(days[i+2]), EvalConfig{Model: m, From: days[i-90],
			Every: 1})
		if err != nil {
			t.Fatal(err)
		}
		if !e.Quarters[len(e.Quarters)-1].Coverage[9][0].Finite() {
			unknown++
		}
		checkSVG(t, e)
	}
	if unknown == 0 {
		t.Error("each last quarter has a target at ten days ahead: the test tests nothing")
	}
}

func quarterOf(d calendar.Date) string {
	year, month, _ := d.Civil()
	return fmt.Sprint(year, (month-1)/3)
}

// checkSVG wants well-formed XML, no number that is none, everything within the picture, and a line
// for each name of a key.
func checkSVG(t *testing.T, e *Evaluation) {
	t.Helper()
	var out bytes.Buffer
	if err := e.WriteSVG(&out); err != nil {
		t.Fatal(err)
	}
	svg := out.String()
	for _, bad := range []string{"NaN", "Inf", "%!"} {
		if strings.Contains(svg, bad) {
			t.Errorf("the picture has %q", bad)
		}
	}
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range regexp.MustCompile(` (x|x1|x2|y|y1|y2)="([^"]*)"`).FindAllStringSubmatch(svg,
		-1) {
		v, err := strconv.ParseFloat(m[2], 64)
		most := float64(e.plotHeight())
		if m[1][0] == 'x' {
			most = plotWidth
		}
		if err != nil || v < 0 || v > most {
			t.Errorf("%s=%q is not within the picture", m[1], m[2])
		}
	}
	paths := regexp.MustCompile(`<path class="line" style="stroke:#\w+" d="([^"]*)"`).
		FindAllStringSubmatch(svg, -1)
	if want := 4 + len(e.Overall) + 4; len(paths) != want {
		t.Errorf("%d lines, want %d", len(paths), want)
	}
	for _, path := range paths {
		if path[1] == "" {
			t.Error("a line has no point")
		}
	}
	if n := strings.Count(svg, `class="aim" style="stroke:`); n != 4 {
		t.Errorf("%d coloured aims, want 4", n)
	}
}

// TestKeyIsAboveTheFrame wants no name of a line where the lines are.
func TestKeyIsAboveTheFrame(t *testing.T) {
	p := &plot{x: 64, y: 148, width: 380, height: 260}
	names := []string{"a rather long name of a baseline +1.23 %", "another one", "third", "fourth", "5"}
	top := p.key(names)
	for _, m := range regexp.MustCompile(` y="([\d.]+)"`).FindAllStringSubmatch(p.String(), -1) {
		if y, _ := strconv.ParseFloat(m[1], 64); y > p.y-5 || y <= top {
			t.Errorf("a name is at %v, want it between %v and %v", y, top, p.y)
		}
	}
}
