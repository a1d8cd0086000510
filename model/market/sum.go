package market

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
)

// sumOf hashes what series hold: for each the ticker, the number of rows, the dates, and each
// column. Lengths come before what they measure, so different series never give the same bytes.
func sumOf(series []Series) string {
	h := sha256.New()
	b := make([]byte, 0, 8<<10)
	add := func(n uint64) {
		if b = binary.LittleEndian.AppendUint64(b, n); len(b) == cap(b) {
			h.Write(b)
			b = b[:0]
		}
	}
	for i := range series {
		s := &series[i]
		add(uint64(len(s.Ticker)))
		for _, c := range []byte(s.Ticker) {
			add(uint64(c))
		}
		add(uint64(s.Len()))
		for _, d := range s.Dates {
			add(uint64(d))
		}
		for _, column := range [][]float64{s.Close, s.Open, s.High, s.Low, s.Raw} {
			add(uint64(len(column)))
			for _, x := range column {
				add(math.Float64bits(x))
			}
		}
	}
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil))
}
