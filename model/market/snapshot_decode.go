package market

import (
	"bufio"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"tickercast/model/calendar"
)

// decodeSnapshot reads what EncodeSnapshot wrote, and refuses anything else.
func decodeSnapshot(file []byte) (*Panel, error) {
	rest, ok := bytes.CutPrefix(file, []byte(snapshotMagic))
	if !ok || len(rest) < sha256.Size {
		return nil, fmt.Errorf("not a snapshot of format %q", snapshotMagic)
	}
	want, packed := rest[:sha256.Size], rest[sha256.Size:]
	if got := sha256.Sum256(packed); !bytes.Equal(got[:], want) {
		return nil, errors.New("checksum does not match")
	}
	d := snapshotDecoder{r: bufio.NewReader(flate.NewReader(bytes.NewReader(packed)))}
	return d.panel()
}

// snapshotTicker is the description of a ticker that stands before all rows.
type snapshotTicker struct {
	name     string
	rows     int
	last     calendar.Date
	decimals int
	columns  byte
}

// snapshotDecoder reads the body of a snapshot. After the first error it reads nothing more. The
// limits of the format bound what it allocates.
type snapshotDecoder struct {
	r   *bufio.Reader
	err error
}

func (d *snapshotDecoder) panel() (*Panel, error) {
	var asOf [4]byte
	d.full(asOf[:])
	last := calendar.Date(binary.LittleEndian.Uint32(asOf[:]))
	var tickers []snapshotTicker
	rows := 0
	for n := d.uint(snapshotTickers); n > 0 && d.err == nil; n-- {
		t := d.ticker(last)
		tickers = append(tickers, t)
		rows += t.rows
	}
	days, closes := d.stream(rows), d.stream(rows)
	opens, highs, lows := d.stream(rows), d.stream(rows), d.stream(rows)
	if _, err := d.r.ReadByte(); d.err == nil && err != io.EOF {
		d.err = errors.New("bytes after the last row")
	}
	if d.err != nil {
		return nil, d.err
	}

	all := Series{
		Dates: make([]calendar.Date, rows),
		Close: make([]float64, rows),
		Open:  make([]float64, rows),
		High:  make([]float64, rows),
		Low:   make([]float64, rows),
	}
	series := make([]Series, len(tickers))
	start := 0
	for i, t := range tickers {
		end := start + t.rows
		series[i] = all.Slice(start, end)
		series[i].fill(t, days[start:end], closes[start:end], opens[start:end], highs[start:end],
			lows[start:end])
		start = end
	}
	return NewPanel(series)
}

// fill decodes the rows of a ticker into columns of the right length.
func (s *Series) fill(t snapshotTicker, days, closes, opens, highs, lows []uint32) {
	s.Ticker = t.name
	day := t.last
	for i := len(days) - 1; i >= 0; i-- {
		s.Dates[i] = day
		day -= calendar.Date(days[i])
	}
	var units int32
	var r rangeCoder
	for i := range closes {
		units += unzigzag(closes[i])
		s.Close[i] = decimalPrice(units, t.decimals)
		r.next(s.Close[i])
		s.Open[i] = r.decodeOpen(opens[i])
		s.High[i] = r.decodeHigh(highs[i])
		s.Low[i] = r.decodeLow(lows[i])
	}
	for i, column := range s.ranges() {
		if t.columns&(1<<i) == 0 {
			*column = nil
		}
	}
}

func (d *snapshotDecoder) ticker(asOf calendar.Date) (t snapshotTicker) {
	name := make([]byte, d.uint(maxTicker))
	d.full(name)
	t.name = string(name)
	t.rows = d.uint(snapshotRows)
	t.last = asOf - calendar.Date(d.uint(math.MaxInt32))
	t.decimals = d.uint(2*maxDecimals) - maxDecimals
	t.columns = byte(d.uint(7))
	return t
}

// uint reads a number of at most limit, or returns 0.
func (d *snapshotDecoder) uint(limit uint64) int {
	if d.err != nil {
		return 0
	}
	n, err := binary.ReadUvarint(d.r)
	switch {
	case err != nil:
		d.fail(err)
	case n > limit:
		d.err = fmt.Errorf("a count of %d where %d is the most", n, limit)
	default:
		return int(n)
	}
	return 0
}

// stream reads a number for each row, or returns nil.
func (d *snapshotDecoder) stream(rows int) []uint32 {
	width := d.uint(4)
	if d.err != nil {
		return nil
	}
	stream := make([]uint32, rows)
	plane := make([]byte, rows)
	for shift := 0; shift < 8*width; shift += 8 {
		d.full(plane)
		for i, b := range plane {
			stream[i] |= uint32(b) << shift
		}
	}
	return stream
}

func (d *snapshotDecoder) full(b []byte) {
	if d.err != nil {
		return
	}
	if _, err := io.ReadFull(d.r, b); err != nil {
		d.fail(err)
	}
}

func (d *snapshotDecoder) fail(err error) {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	d.err = fmt.Errorf("decompressing: %w", err)
}
