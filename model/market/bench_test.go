package market

import (
	"bytes"
	"compress/gzip"
	"os"
	"strconv"
	"testing"
)

// longCSV writes a random panel of 100 tickers and 1000 days, all four prices to six digits: 100
// thousand rows.
func longCSV(b *testing.B) []byte {
	text := []byte("date,ticker,open,high,low,close\n")
	p := randomPanel(b, 1, 100, 1000)
	for _, s := range p.Series() {
		for i, d := range s.Dates {
			text = append(d.AppendTo(text), ',')
			text = append(text, s.Ticker...)
			for _, v := range []float64{s.Open[i], s.High[i], s.Low[i], s.Close[i]} {
				text = strconv.AppendFloat(append(text, ','), v, 'g', 6, 64)
			}
			text = append(text, '\n')
		}
	}
	return text
}

func BenchmarkRead(b *testing.B) {
	plain := longCSV(b)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(plain)
	w.Close()
	for _, c := range []struct {
		name string
		file []byte
	}{{"plain", plain}, {"gzip", packed.Bytes()}} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			for b.Loop() {
				p, err := Read(b.Context(), bytes.NewReader(c.file), "bench.csv", Options{})
				if err != nil || p.Rows() != 100_000 {
					b.Fatal(p.Rows(), err)
				}
			}
		})
	}
}

// BenchmarkOpen reads the largest file there is, 2.8 million rows.
func BenchmarkOpen(b *testing.B) {
	const path = "../../../shared/data/prices_us_1999_2022.csv.gz"
	if _, err := os.Stat(path); err != nil {
		b.Skip(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		p, err := Open(b.Context(), path, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if got := p.Rows(); got != 2_781_134 {
			b.Fatalf("%d rows, want 2781134", got)
		}
	}
}

func BenchmarkSnapshot(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Snapshot(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeSnapshot(b *testing.B) {
	p, err := Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.EncodeSnapshot(); err != nil {
			b.Fatal(err)
		}
	}
}
