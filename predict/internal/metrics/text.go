package metrics

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// ContentType is that of the text.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// AppendText appends all metrics in the Prometheus text format: families in the order of their
// names, series in the order of their labels, so that two writings differ only where values do.
func (r *Registry) AppendText(b []byte) []byte {
	for _, f := range r.snapshot() {
		b = append(b, "# HELP "...)
		b = append(b, f.name...)
		b = append(b, ' ')
		b = append(b, helpEscapes.Replace(f.help)...)
		b = append(b, "\n# TYPE "...)
		b = append(b, f.name...)
		b = append(b, ' ')
		b = append(b, f.kind...)
		b = append(b, '\n')
		for _, s := range f.series {
			b = appendSeries(b, f.name, s)
		}
	}
	return b
}

// snapshot copies the families, so that no func is called under the lock.
func (r *Registry) snapshot() []family {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]family, 0, len(r.families))
	for _, name := range slices.Sorted(maps.Keys(r.families)) {
		f := *r.families[name]
		f.series = slices.Clone(f.series)
		out = append(out, f)
	}
	return out
}

func appendSeries(b []byte, name string, s *series) []byte {
	switch m := s.metric.(type) {
	case *Counter:
		return appendUint(b, name, s.text, m.Value())
	case *Gauge:
		return appendFloat(b, name, s.text, float64(m.Value()))
	case *Histogram:
		return appendHistogram(b, name, s.text, m)
	case func() float64:
		return appendFloat(b, name, s.text, m())
	case func() []Label:
		if labels := m(); len(labels) > 0 {
			b = appendUint(b, name, labelText(labels), 1)
		}
		return b
	}
	panic("metrics: a series of no known type")
}

func appendHistogram(b []byte, name, labels string, h *Histogram) []byte {
	counts, seconds := h.load()
	sep := ""
	if labels != "" {
		sep = ","
	}
	var n uint64
	for i, c := range counts {
		n += c
		le := "+Inf"
		if i < len(buckets) {
			le = strconv.FormatFloat(buckets[i].Seconds(), 'g', -1, 64)
		}
		b = appendUint(b, name+"_bucket", labels+sep+`le="`+le+`"`, n)
	}
	b = appendFloat(b, name+"_sum", labels, seconds)
	return appendUint(b, name+"_count", labels, n)
}

func appendUint(b []byte, name, labels string, v uint64) []byte {
	b = appendName(b, name, labels)
	return append(strconv.AppendUint(b, v, 10), '\n')
}

func appendFloat(b []byte, name, labels string, v float64) []byte {
	b = appendName(b, name, labels)
	// +Inf, -Inf and NaN are spelt as the format has them
	return append(strconv.AppendFloat(b, v, 'g', -1, 64), '\n')
}

func appendName(b []byte, name, labels string) []byte {
	b = append(b, name...)
	if labels != "" {
		b = append(b, '{')
		b = append(b, labels...)
		b = append(b, '}')
	}
	return append(b, ' ')
}

var (
	helpEscapes  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	valueEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// labelText is the labels as a series has them between its braces.
func labelText(labels []Label) string {
	var b strings.Builder
	for i, l := range labels {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(l.Name)
		b.WriteString(`="`)
		valueEscapes.WriteString(&b, strings.ToValidUTF8(l.Value, "\uFFFD"))
		b.WriteByte('"')
	}
	return b.String()
}
