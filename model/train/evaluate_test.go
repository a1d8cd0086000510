package train

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
)

// walkPanel makes tickers whose returns have clustered volatility, partly in common.
func walkPanel(t testing.TB, seed uint64, tickers, days int) *market.Panel {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	common := make([]float64, days)
	v := 0.0
	for i := range common {
		v = 0.97*v + 0.1*rng.NormFloat64()
		common[i] = v
	}
	var all []market.Series
	for k := range tickers {
		s := market.Series{Ticker: "T" + string(rune('A'+k/26)) + string(rune('A'+k%26))}
		day, price := calendar.Of(2012, 1, 3), 50.0
		own := 0.01 + 0.01*rng.Float64()
		for i := range days {
			day = calendar.Default().Next(day, 1)
			price *= math.Exp(own * math.Exp(common[i]) * rng.NormFloat64())
			s.Dates, s.Close = append(s.Dates, day), append(s.Close, price)
		}
		all = append(all, s)
	}
	p, err := market.NewPanel(all)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func embedded(t testing.TB) *model.Model {
	t.Helper()
	m, err := model.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestEvaluateScoresWhatAServerWouldSay recomputes two figures the slow way: a market of the rows
// up to each origin, and a forecast from it.
func TestEvaluateScoresWhatAServerWouldSay(t *testing.T) {
	p := walkPanel(t, 1, 22, 420)
	m := embedded(t)
	e, err := Evaluate(t.Context(), p, EvalConfig{Model: m, Every: 20})
	if err != nil {
		t.Fatal(err)
	}
	const h, level = 5, 3 // 0.95
	var loss, inside, n float64
	dates := p.Series()[0].Dates
	for at := MinWarmup; at < len(dates); at += 20 {
		mk, err := market.New(t.Context(), p.Until(dates[at]), nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, ticker := range mk.Tickers() {
			closes := p.Series()[i].Close
			if at+h >= len(closes) {
				continue
			}
			f := m.Forecast(ticker.Features[:], model.MaxDays)
			lower, upper := f.Interval(h, model.Confidences[level])
			r := math.Log(closes[at+h] / closes[at])
			if r < lower {
				loss += (1 - tails[level]) * (lower - r)
			} else {
				loss += tails[level] * (r - lower)
			}
			if lower <= r && r <= upper {
				inside++
			}
			n++
		}
	}
	if got, want := float64(e.Methods[0].Loss[h-1][0][level]),
		basisPoints*loss/n; math.Abs(got-want) > 1e-9*want {
		t.Errorf("got a loss of %v bp, want %v", got, want)
	}
	if got, want := float64(e.Methods[0].Coverage[h-1][level]), inside/n; got != want {
		t.Errorf("got a coverage of %v, want %v", got, want)
	}
	if got, want := e.Forecasts[h-1], int(n); got != want {
		t.Errorf("got %d forecasts, want %d", got, want)
	}
}

func TestEvaluationIsTheSameOnAnyNumberOfCores(t *testing.T) {
	p := walkPanel(t, 2, 9, 330)
	var first []byte
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for cores := 1; cores <= 3; cores += 2 {
		runtime.GOMAXPROCS(cores)
		e, err := Evaluate(t.Context(), p, EvalConfig{Model: embedded(t), Every: 7})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := e.WriteJSON(&b); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b.Bytes()
		} else if !bytes.Equal(first, b.Bytes()) {
			t.Error("one core and three differ")
		}
	}
	var back map[string]any
	if err := json.Unmarshal(first, &back); err != nil {
		t.Fatalf("the JSON does not parse: %v", err)
	}
	if got, want := len(back["methods"].([]any)), len(back["overall"].([]any))+1; got != want {
		t.Errorf("got %d methods, want %d", got, want)
	}
}

func TestEvaluateTable(t *testing.T) {
	e, err := Evaluate(t.Context(), walkPanel(t, 3, 5, 330), EvalConfig{Model: embedded(t)})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := e.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ewma-normal", "coverage", "2013", "no change"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, b.String())
		}
	}
}

func TestEvaluateSVG(t *testing.T) {
	e, err := Evaluate(t.Context(), walkPanel(t, 3, 5, 400), EvalConfig{Model: embedded(t)})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := e.WriteSVG(&b); err != nil {
		t.Fatal(err)
	}
	if s := b.String(); strings.Contains(s, "NaN") || strings.Contains(s, "Inf") {
		t.Error("the picture holds numbers that are none")
	}
	curves, dashed := 0, 0
	for d := xml.NewDecoder(&b); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
		if s, ok := token.(xml.StartElement); ok {
			if s.Name.Local == "path" {
				curves++
			}
			if s.Name.Local == "line" && slices.ContainsFunc(s.Attr,
				func(a xml.Attr) bool { return a.Value == "aim" }) {
				dashed++
			}
		}
	}
	if want := 4 + len(e.Overall) + 4; curves != want {
		t.Errorf("got %d curves, want %d", curves, want)
	}
	if want := 1 + 1 + 4; dashed != want {
		t.Errorf("got %d dashed lines, want %d", dashed, want)
	}
}

func TestEvaluateStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := walkPanel(t, 4, 20, 330)
	_, err := Evaluate(ctx, p, EvalConfig{Model: embedded(t),
		Progress: func(int, int) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
}

func TestEvaluateWithoutOriginsSaysSo(t *testing.T) {
	p := walkPanel(t, 5, 3, 300)
	for name, cfg := range map[string]EvalConfig{
		"no model": {},
		"too late": {Model: embedded(t), From: calendar.Of(2030, 1, 1)},
		"backward": {Model: embedded(t), From: calendar.Of(2013, 1, 1),
			To: calendar.Of(2012, 12, 1)},
		"no end": {Model: embedded(t), From: p.AsOf()},
	} {
		if _, err := Evaluate(t.Context(), p, cfg); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}
