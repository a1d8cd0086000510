package market

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
)

// EncodeSnapshot returns the snapshot of the panel: the last 300 rows of each ticker. The same
// panel gives the same bytes with the same release of Go. It fails for a panel of too many tickers,
// and for a ticker whose closes differ too much to share one number of decimals.
func (p *Panel) EncodeSnapshot() ([]byte, error) {
	body, err := p.snapshotBody()
	if err != nil {
		return nil, err
	}
	file := packSnapshot(body)
	if _, err := decodeSnapshot(file); err != nil {
		return nil, fmt.Errorf("reading the snapshot back: %w", err)
	}
	return file, nil
}

// packSnapshot compresses a body and puts the magic and the checksum before it.
func packSnapshot(body []byte) []byte {
	var packed bytes.Buffer // takes everything, so there are no errors
	w, _ := flate.NewWriter(&packed, flate.BestCompression)
	w.Write(body)
	w.Close()
	sum := sha256.Sum256(packed.Bytes())
	return slices.Concat([]byte(snapshotMagic), sum[:], packed.Bytes())
}

func (p *Panel) snapshotBody() ([]byte, error) {
	if n := len(p.series); n == 0 || n > snapshotTickers {
		return nil, fmt.Errorf("a snapshot holds 1 to %d tickers, not %d", snapshotTickers, n)
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(p.asOf))
	b = binary.AppendUvarint(b, uint64(len(p.series)))
	var streams [5][]uint32
	for i := range p.series {
		s := p.series[i].Slice(max(0, p.series[i].Len()-snapshotRows), p.series[i].Len())
		closes, decimals, err := decimalUnits(s.Close)
		if err != nil {
			return nil, fmt.Errorf("ticker %q: %w", s.Ticker, err)
		}
		b = binary.AppendUvarint(b, uint64(len(s.Ticker)))
		b = append(b, s.Ticker...)
		for _, v := range []uint64{uint64(s.Len()), uint64(p.asOf - s.Dates[s.Len()-1]),
			uint64(decimals + maxDecimals), uint64(s.columns())} {
			b = binary.AppendUvarint(b, v)
		}
		var units int32
		var r rangeCoder
		for j, day := range s.Dates {
			// Steps count from the prices that the decoder will have.
			r.next(decimalPrice(closes[j], decimals))
			for k, v := range [5]uint32{
				uint32(day - s.Dates[max(0, j-1)]), zigzag(closes[j] - units),
				r.encodeOpen(at(s.Open, j)), r.encodeHigh(at(s.High, j)), r.encodeLow(at(s.Low, j)),
			} {
				streams[k] = append(streams[k], v)
			}
			units = closes[j]
		}
	}
	for _, stream := range streams {
		b = appendStream(b, stream)
	}
	return b, nil
}

func at(column []float64, i int) float64 {
	if column == nil {
		return nan
	}
	return column[i]
}

func appendStream(b []byte, stream []uint32) []byte {
	var all uint32
	for _, v := range stream {
		all |= v
	}
	width := (bits.Len32(all) + 7) / 8
	b = append(b, byte(width))
	for shift := 0; shift < 8*width; shift += 8 {
		for _, v := range stream {
			b = append(b, byte(v>>shift))
		}
	}
	return b
}
