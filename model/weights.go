package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"tickercast/model/calendar"
)

// Params are the numbers of a model as they are stored. Side 0 is lower, side 1 upper.
type Params struct {
	From, To       calendar.Date // of the training prices
	Features       []string      // the first is log(scale/RefScale)
	Center, Spread []float32     // by feature
	Hidden         int
	First          []float32 // Hidden rows of len(Features)
	FirstBias      []float32
	Last           []float32                   // Curves*Terms rows of Hidden
	Skip           []float32                   // Curves*Terms rows of len(Features)
	LastBias       []float32                   // Curves*Terms
	Drift          float32                     // log return per day from the second day on
	Quantiles      [MaxDays][2][Levels]float32 // logs, in units of scale*sqrt(h)

	// Logs lists the features of which log(1+x) counts: see Model.Reading. They are not stored.
	Logs []int
}

const (
	magic       = "tickcast"
	format      = 1
	maxFeatures = 64
	maxHidden   = 256
	maxName     = 64
	headLen     = len(magic) + 4 // and the format
	scaleName   = "log_scale"
)

var le = binary.LittleEndian

// ErrWeights is wrapped by every error of Parse.
var ErrWeights = errors.New("model: bad weights")

func fault(form string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrWeights, fmt.Errorf(form, args...))
}

// AppendBinary appends the stored form: magic, format version, the parameters as little-endian
// numbers, and the SHA-256 of all of these.
func (p *Params) AppendBinary(b []byte) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if len(p.Logs) > 0 {
		return nil, fault("feature %q has another form than it is stored in",
			p.Features[p.Logs[0]])
	}
	start := len(b)
	b = append(b, magic...)
	b, _ = binary.Append(b, le, []uint32{format, uint32(p.From), uint32(p.To)})
	b = le.AppendUint16(b, uint16(len(p.Features)))
	for _, name := range p.Features {
		b = append(append(b, byte(len(name))), name...)
	}
	b = le.AppendUint16(b, uint16(p.Hidden))
	for _, v := range p.numbers() {
		b, _ = binary.Append(b, le, v)
	}
	sum := sha256.Sum256(b[start:])
	return append(b, sum[:]...), nil
}

// numbers lists the numbers behind the names, in the order of storage.
func (p *Params) numbers() []any {
	return []any{p.Center, p.Spread, p.First, p.FirstBias, p.Last, p.Skip, p.LastBias, &p.Drift,
		&p.Quantiles}
}

// Parse reads the stored form of a model. It refuses a file that was cut, changed or written by
// another version, and numbers with which a forecast would break its promises.
func Parse(b []byte) (*Model, error) {
	if len(b) < headLen || string(b[:len(magic)]) != magic {
		return nil, fault("no model file: it does not begin with %q", magic)
	}
	if v := le.Uint32(b[len(magic):]); v != format {
		return nil, fault("format %d, this program reads %d", v, format)
	}
	if len(b) < headLen+sha256.Size {
		return nil, fault("cut after %d bytes", len(b))
	}
	body, stored := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	sum := sha256.Sum256(body)
	if !bytes.Equal(sum[:], stored) {
		return nil, fault("checksum differs: the file was cut or changed")
	}
	var p Params
	r := bytes.NewReader(body[headLen:])
	if !p.read(r) {
		return nil, fault("cut inside the parameters")
	}
	if r.Len() > 0 {
		return nil, fault("%d bytes too many", r.Len())
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	year, month, _ := p.To.Civil()
	return newModel(p, fmt.Sprintf("%04d.%02d-%x", year, int(month), sum[:4])), nil
}

// read reports whether there were enough bytes, and no impossible count among them.
func (p *Params) read(r *bytes.Reader) bool {
	var head struct {
		From, To calendar.Date
		Features uint16
	}
	if binary.Read(r, le, &head) != nil || head.Features > maxFeatures {
		return false
	}
	p.From, p.To = head.From, head.To
	for range head.Features {
		n, _ := r.ReadByte()
		name := make([]byte, n)
		io.ReadFull(r, name) // the next read finds what is missing
		p.Features = append(p.Features, string(name))
	}
	var hidden uint16
	if binary.Read(r, le, &hidden) != nil || hidden > maxHidden {
		return false
	}
	p.Hidden = int(hidden)
	for _, part := range p.parts() {
		*part.v = make([]float32, part.size)
	}
	for _, v := range p.numbers() {
		if binary.Read(r, le, v) != nil {
			return false
		}
	}
	return true
}

// A part is a slice of Params and the length that it must have.
type part struct {
	v    *[]float32
	size int
}

func (p *Params) parts() [7]part {
	in := len(p.Features)
	return [7]part{{&p.Center, in}, {&p.Spread, in}, {&p.First, p.Hidden * in},
		{&p.FirstBias, p.Hidden}, {&p.Last, outputs * p.Hidden}, {&p.Skip, outputs * in},
		{&p.LastBias, outputs}}
}

// check reports the first number or name that Forecast cannot rely on.
func (p *Params) check() error {
	if n := len(p.Features); n == 0 || n > maxFeatures {
		return fault("%d features, want 1 to %d", n, maxFeatures)
	}
	if p.Features[0] != scaleName {
		return fault("the first feature is %q, want %q", p.Features[0], scaleName)
	}
	for _, name := range p.Features {
		if len(name) == 0 || len(name) > maxName {
			return fault("a feature's name has %d bytes, want 1 to %d", len(name), maxName)
		}
	}
	if p.Hidden < 0 || p.Hidden > maxHidden {
		return fault("%d hidden units, want up to %d", p.Hidden, maxHidden)
	}
	if p.From > p.To {
		return fault("training range ends on %s before it begins on %s", p.To, p.From)
	}
	for i, part := range p.parts() {
		if len(*part.v) != part.size {
			return fault("part %d has %d numbers, want %d", i, len(*part.v), part.size)
		}
		for _, v := range *part.v {
			if !(v > -1e6 && v < 1e6) {
				return fault("part %d holds %v", i, v)
			}
		}
	}
	for i, v := range p.Spread {
		if v < 1e-6 {
			return fault("feature %q has the spread %v, want more than 0", p.Features[i], v)
		}
	}
	if !(p.Drift >= 0 && p.Drift < 0.01) {
		return fault("a drift of %v a day, want 0 to 0.01", p.Drift)
	}
	for h := range p.Quantiles {
		for side := range 2 {
			if err := checkQuantiles(&p.Quantiles[h][side]); err != nil {
				return fault("horizon %d, side %d: %w", h+1, side, err)
			}
		}
	}
	return nil
}

// checkQuantiles makes sure that a higher confidence stays wider under the lightest tail that the
// network can ask for.
func checkQuantiles(q *[Levels]float32) error {
	for l, v := range q {
		if !(v > -6 && v < 6) {
			return fmt.Errorf("the log quantile %v", v)
		}
		if l > 0 && float64(v)-float64(q[l-1]) < MinGap(l) {
			return fmt.Errorf("confidence %v is narrower than %v", Confidences[l], Confidences[l-1])
		}
	}
	return nil
}
