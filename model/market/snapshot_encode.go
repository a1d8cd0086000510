package market

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
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
	file, err := packSnapshot(body)
	if err != nil {
		return nil, err
	}
	if _, err := decodeSnapshot(file); err != nil {
		return nil, fmt.Errorf("reading the snapshot back: %w", err)
	}
	return file, nil
}

// packSnapshot compresses a body and puts the magic and the checksum before it.
func packSnapshot(body []byte) ([]byte, error) {
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(packed.Bytes())
	return slices.Concat([]byte(snapshotMagic), sum[:], packed.Bytes()), nil
}

func (p *Panel) snapshotBody() ([]byte, error) {
	if n := len(p.series); n == 0 || n > snapshotTickers {
		return nil, fmt.Errorf("a snapshot holds 1 to %d tickers, not %d", snapshotTickers, n)
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(p.asOf))
	b = binary.AppendUvarint(b, uint64(len(p.series)))
	var days, closes, opens, highs, lows []uint32
	for i := range p.series {
		s := p.series[i].Slice(max(0, p.series[i].Len()-snapshotRows), p.series[i].Len())
		units, decimals, err := decimalUnits(s.Close)
		if err != nil {
			return nil, fmt.Errorf("ticker %q: %w", s.Ticker, err)
		}
		b = binary.AppendUvarint(b, uint64(len(s.Ticker)))
		b = append(b, s.Ticker...)
		b = binary.AppendUvarint(b, uint64(s.Len()))
		b = binary.AppendUvarint(b, uint64(p.asOf-s.Dates[s.Len()-1]))
		b = binary.AppendUvarint(b, uint64(decimals+maxDecimals))
		var columns uint64
		for i, column := range s.ranges() {
			if *column != nil {
				columns |= 1 << i
			}
		}
		b = binary.AppendUvarint(b, columns)

		var before int32
		var r rangeCoder
		for j := range s.Dates {
			if j == 0 {
				days = append(days, 0)
			} else {
				days = append(days, uint32(s.Dates[j]-s.Dates[j-1]))
			}
			closes = append(closes, zigzag(units[j]-before))
			before = units[j]

			// Steps count from the prices that the decoder will have.
			r.next(decimalPrice(units[j], decimals))
			opens = append(opens, r.encodeOpen(at(s.Open, j)))
			highs = append(highs, r.encodeHigh(at(s.High, j)))
			lows = append(lows, r.encodeLow(at(s.Low, j)))
		}
	}
	for _, stream := range [][]uint32{days, closes, opens, highs, lows} {
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
	width := 0
	for ; all > 0; all >>= 8 {
		width++
	}
	b = append(b, byte(width))
	for shift := 0; shift < 8*width; shift += 8 {
		for _, v := range stream {
			b = append(b, byte(v>>shift))
		}
	}
	return b
}
