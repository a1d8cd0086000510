package market

import (
	"bufio"
	"bytes"
	"cmp"
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

// snapshotDecoder reads the body of a snapshot and keeps the first error. The limits of the format
// bound what it allocates.
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
	var streams [5][]uint32
	for i := range streams {
		streams[i] = d.stream(rows)
	}
	if _, err := d.r.ReadByte(); err != io.EOF {
		d.fail(errors.New("bytes after the last row"))
	}
	if d.err != nil {
		return nil, d.err
	}
	series := make([]Series, len(tickers))
	for i, t := range tickers {
		series[i] = t.series(&streams)
		for k := range streams {
			streams[k] = streams[k][t.rows:]
		}
	}
	return NewPanel(series)
}

// series decodes the rows of a ticker, which are the first in the streams.
func (t *snapshotTicker) series(streams *[5][]uint32) Series {
	s := newSeries(t.name, t.rows)
	day := t.last
	for i := t.rows - 1; i >= 0; i-- {
		s.Dates[i] = day
		day -= calendar.Date(streams[0][i])
	}
	var units int32
	var r rangeCoder
	for i := range t.rows {
		units += unzigzag(streams[1][i])
		s.Close[i] = decimalPrice(units, t.decimals)
		r.next(s.Close[i])
		s.Open[i] = r.decodeOpen(streams[2][i])
		s.High[i] = r.decodeHigh(streams[3][i])
		s.Low[i] = r.decodeLow(streams[4][i])
	}
	s.keep(t.columns)
	return s
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
	n, err := binary.ReadUvarint(d.r)
	if err == nil && n > limit {
		err = fmt.Errorf("a count of %d where %d is the most", n, limit)
	}
	d.fail(err)
	if d.err != nil {
		return 0
	}
	return int(n)
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
	_, err := io.ReadFull(d.r, b)
	d.fail(err)
}

// fail keeps the first error.
func (d *snapshotDecoder) fail(err error) {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	d.err = cmp.Or(d.err, err)
}
