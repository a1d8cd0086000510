package market

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tickercast/model/calendar"
)

const sourceOfSnapshot = "../../../shared/data/prices_us_latest.csv.gz"

// readSource returns the panel that the embedded snapshot was made of. It skips the test if there
// is no such file here.
func readSource(t testing.TB) *Panel {
	if _, err := os.Stat(sourceOfSnapshot); err != nil {
		t.Skip(err)
	}
	p, err := Open(t.Context(), sourceOfSnapshot, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// oddPanel has what a snapshot must cope with: prices of every size, columns that are absent or
// have holes, a long series, a short one, one that ended long ago.
func oddPanel(t testing.TB) *Panel {
	rng := rand.New(rand.NewPCG(7, 8))
	var series []Series
	for i, n := range []int{1, 2, 299, 300, 301, 700, 50, 50, 50, 50} {
		s := Series{Ticker: fmt.Sprintf("T%d", i)}
		day := calendar.Of(2020+i%3, time.March, 1)
		price := math.Pow(10, 2.5*float64(i)-10)
		column := func(v float64) float64 {
			if rng.IntN(10) == 0 {
				return nan
			}
			return v
		}
		for range n {
			day = calendar.Default().Next(day, 1+rng.IntN(3))
			open := price * math.Exp(rng.NormFloat64()*0.02)
			price = open * math.Exp(rng.NormFloat64()*0.02)
			s.Dates = append(s.Dates, day)
			s.Close = append(s.Close, price)
			if i&1 == 0 {
				s.Open = append(s.Open, column(open))
			}
			if i&2 == 0 {
				s.High = append(s.High, column(max(open, price)*math.Exp(0.01*rng.ExpFloat64())))
			}
			if i&4 == 0 {
				s.Low = append(s.Low, column(min(open, price)*math.Exp(-0.01*rng.ExpFloat64())))
			}
		}
		series = append(series, s)
	}
	p, err := NewPanel(series)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func encode(t testing.TB, p *Panel) []byte {
	t.Helper()
	b, err := p.EncodeSnapshot()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode(t testing.TB, b []byte) *Panel {
	t.Helper()
	p, err := decodeSnapshot(b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wantSnapshotOf checks what a snapshot promises of its source.
func wantSnapshotOf(t *testing.T, got, source *Panel) {
	t.Helper()
	if len(got.Series()) != len(source.Series()) {
		t.Fatalf("got %d tickers, want %d", len(got.Series()), len(source.Series()))
	}
	for i := range got.Series() {
		g, w := got.Series()[i], source.Series()[i]
		w = w.Slice(max(0, w.Len()-300), w.Len())
		if g.Ticker != w.Ticker || !slices.Equal(g.Dates, w.Dates) {
			t.Fatalf("got %s on %v, want %s on %v", g.Ticker, g.Dates, w.Ticker, w.Dates)
		}
		for j, v := range w.Close {
			rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 5, 64), 64)
			if g.Close[j] != rounded {
				t.Fatalf("%s closes at %v on %v, want %v", g.Ticker, g.Close[j], g.Dates[j],
					rounded)
			}
		}
		for name, column := range map[string][2][]float64{"open": {g.Open, w.Open},
			"high": {g.High, w.High}, "low": {g.Low, w.Low}} {
			if (column[0] == nil) != (column[1] == nil) {
				t.Fatalf("%s: %s is there: %v, want %v", g.Ticker, name, column[0] != nil,
					column[1] != nil)
			}
			for j, v := range column[1] {
				got, scale := column[0][j], max(v, w.Close[max(0, j-1)])
				if math.IsNaN(got) != math.IsNaN(v) || math.Abs(got-v) > 1.1*snapshotStep/2*scale {
					t.Fatalf("%s: %s is %v on %v, want %v", g.Ticker, name, got, g.Dates[j], v)
				}
			}
		}
	}
}

func TestSnapshotKeepsItsPromise(t *testing.T) {
	p := oddPanel(t)
	b := encode(t, p)
	wantSnapshotOf(t, decode(t, b), p)
	if again := encode(t, p); !bytes.Equal(b, again) {
		t.Error("the same panel gives other bytes")
	}
}

func TestEmbeddedSnapshot(t *testing.T) {
	p, err := Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if got := len(p.Series()); got != 503 {
		t.Errorf("%d tickers, want 503", got)
	}
	if got, want := p.AsOf().String(), "2026-02-18"; got != want {
		t.Errorf("as of %s, want %s", got, want)
	}
	s, ok := p.Lookup("AAPL")
	if !ok || s.Len() != 300 || s.Close[299] != 264.35 || s.Open == nil || s.High == nil ||
		s.Low == nil {
		t.Errorf("AAPL = %+v", s)
	}
	if len(embedded) > 1_000_000 {
		t.Errorf("the snapshot has %d bytes", len(embedded))
	}
}

func TestEmbeddedSnapshotIsOfItsSource(t *testing.T) {
	source, snapshot := readSource(t), decode(t, embedded)
	wantSnapshotOf(t, snapshot, source)
	// Not compared as bytes, since another release of Go may compress otherwise.
	again := decode(t, encode(t, source))
	for i := range again.Series() {
		if got, want := fmt.Sprint(snapshot.Series()[i]),
			fmt.Sprint(again.Series()[i]); got != want {
			t.Fatalf("the embedded series is\n%s, want\n%s", got, want)
		}
	}

	mean, worst := volatilityError(snapshot, source)
	t.Logf("%d bytes; volatility differs by %.4f %% on average, %.4f %% at worst", len(embedded),
		100*mean, 100*worst)
	if mean > 0.0004 || worst > 0.004 {
		t.Errorf("volatility of the snapshot differs by %v on average, %v at worst", mean, worst)
	}
}

// volatilityError compares the volatility that a panel and its source show: of each day, from the
// daily ranges up to then, with a decay of 0.94.
func volatilityError(got, want *Panel) (mean, worst float64) {
	square := func(x float64) float64 { return x * x }
	daily := func(s *Series, i int) float64 {
		hl, co := math.Log(s.High[i]/s.Low[i]), math.Log(s.Close[i]/s.Open[i])
		return square(math.Log(s.Open[i]/s.Close[i-1])) +
			max(0, square(hl)/2-(2*math.Ln2-1)*square(co))
	}
	n := 0
	for i := range got.Series() {
		g, w := &got.Series()[i], &want.Series()[i]
		var vg, vw float64
		for j := 1; j < g.Len(); j++ {
			vg = 0.94*vg + 0.06*daily(g, j)
			vw = 0.94*vw + 0.06*daily(w, j)
			if j >= 60 {
				d := math.Abs(math.Log(vg/vw)) / 2
				mean += d
				worst = max(worst, d)
				n++
			}
		}
	}
	return mean / float64(n), worst
}

func TestEncodeSnapshotRefuses(t *testing.T) {
	days := []calendar.Date{20000, 20001}
	many := make([]Series, snapshotTickers+1)
	for i := range many {
		many[i] = Series{Ticker: strconv.Itoa(i), Dates: days, Close: []float64{1, 2}}
	}
	for want, series := range map[string][]Series{
		"a snapshot holds 1 to 10000 tickers, not 10001": many,
		`ticker "A": the closes span too much`: {{Ticker: "A", Dates: days,
			Close: []float64{1.23456e-5, 1}}},
	} {
		p, err := NewPanel(series)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.EncodeSnapshot(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := new(Panel).EncodeSnapshot(); err == nil {
		t.Error("an empty panel has a snapshot")
	}
}

func TestDecodeSnapshotRefusesDamage(t *testing.T) {
	p := oddPanel(t).Until(calendar.Of(2021, time.March, 10))
	good := encode(t, p)
	decode(t, good)
	for i := range good {
		if _, err := decodeSnapshot(good[:i]); err == nil {
			t.Fatalf("%d bytes of %d are enough", i, len(good))
		}
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		if _, err := decodeSnapshot(bad); err == nil {
			t.Fatalf("byte %d of %d may be changed", i, len(good))
		}
	}
	if _, err := decodeSnapshot(append(bytes.Clone(good), 0)); err == nil {
		t.Fatal("a byte more is accepted")
	}
}

// TestDecodeSnapshotIsFrugal asks for as many rows as the format has, with none of them there.
func TestDecodeSnapshotIsFrugal(t *testing.T) {
	body := binary.LittleEndian.AppendUint32(nil, 20000)
	body = binary.AppendUvarint(body, snapshotTickers)
	for range 3 {
		body = append(body, 1, 'A')
		body = binary.AppendUvarint(body, snapshotRows)
		body = append(body, 0, maxDecimals, 0)
	}
	file := packSnapshot(body)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := decodeSnapshot(file)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; err == nil || got > 200_000 {
		t.Errorf("%d bytes allocated; %v", got, err)
	}
}

func FuzzDecodeSnapshot(f *testing.F) {
	for _, p := range []*Panel{oddPanel(f), oddPanel(f).Until(calendar.Of(2020, time.April, 1))} {
		body, err := p.snapshotBody()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := decodeSnapshot(packSnapshot(body)) // with a valid checksum
		if err != nil {
			return
		}
		if _, err := NewPanel(p.Series()); err != nil {
			t.Fatalf("unsound: %v", err)
		}
	})
}
