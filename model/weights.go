package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"

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
	start := len(b)
	le := binary.LittleEndian
	b = append(b, magic...)
	b = le.AppendUint32(b, format)
	b = le.AppendUint32(b, uint32(p.From))
	b = le.AppendUint32(b, uint32(p.To))
	b = le.AppendUint16(b, uint16(len(p.Features)))
	for _, name := range p.Features {
		b = append(append(b, byte(len(name))), name...)
	}
	b = le.AppendUint16(b, uint16(p.Hidden))
	for v := range p.numbers() {
		b = le.AppendUint32(b, math.Float32bits(*v))
	}
	sum := sha256.Sum256(b[start:])
	return append(b, sum[:]...), nil
}

// A part is a slice of Params and the length that it must have.
type part struct {
	v    *[]float32
	size int
}

// parts lists the slices in the order of storage.
func (p *Params) parts() [7]part {
	in := len(p.Features)
	return [7]part{{&p.Center, in}, {&p.Spread, in}, {&p.First, p.Hidden * in},
		{&p.FirstBias, p.Hidden}, {&p.Last, outputs * p.Hidden}, {&p.Skip, outputs * in},
		{&p.LastBias, outputs}}
}

// numbers yields every number in the order of storage.
func (p *Params) numbers() iter.Seq[*float32] {
	return func(yield func(*float32) bool) {
		for _, part := range p.parts() {
			for i := range *part.v {
				yield(&(*part.v)[i])
			}
		}
		yield(&p.Drift)
		for h := range p.Quantiles {
			for side := range 2 {
				for l := range Levels {
					yield(&p.Quantiles[h][side][l])
				}
			}
		}
	}
}

// Parse reads the stored form of a model. It refuses a file that was cut, changed or written by
// another version, and numbers with which a forecast would break its promises.
func Parse(b []byte) (*Model, error) {
	if len(b) < headLen || string(b[:len(magic)]) != magic {
		return nil, fault("no model file: it does not begin with %q", magic)
	}
	if v := binary.LittleEndian.Uint32(b[len(magic):]); v != format {
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
	r := reader{rest: body[headLen:]}
	p := r.params()
	if r.short {
		return nil, fault("cut inside the parameters")
	}
	if len(r.rest) > 0 {
		return nil, fault("%d bytes too many", len(r.rest))
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	year, month, _ := p.To.Civil()
	return newModel(p, fmt.Sprintf("%04d.%02d-%x", year, int(month), sum[:4])), nil
}

type reader struct {
	rest  []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if len(r.rest) < n {
		r.short, r.rest = true, nil
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) uint16() int { return int(binary.LittleEndian.Uint16(r.take(2))) }

func (r *reader) uint32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }

func (r *reader) params() (p Params) {
	p.From, p.To = calendar.Date(r.uint32()), calendar.Date(r.uint32())
	n := r.uint16()
	if n > maxFeatures {
		r.short = true
		return p
	}
	for range n {
		p.Features = append(p.Features, string(r.take(int(r.take(1)[0]))))
	}
	p.Hidden = r.uint16()
	if p.Hidden > maxHidden {
		r.short = true
		return p
	}
	for _, part := range p.parts() {
		*part.v = make([]float32, part.size)
	}
	for v := range p.numbers() {
		*v = math.Float32frombits(r.uint32())
	}
	return p
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
