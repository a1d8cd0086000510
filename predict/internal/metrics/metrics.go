// Package metrics counts and times what a server does and writes it in the Prometheus text format,
// version 0.0.4.
//
// A [Registry] makes counters, gauges and duration histograms. Each is one series; asking again for
// the same name and labels gives the same series. Hot code keeps its series: [Counter.Add],
// [Gauge.Add] and [Histogram.Observe] take no lock, allocate nothing and, with one stripe for each
// processor, write to no memory that another core writes. All types are safe for concurrent use.
//
// It pushes nothing anywhere and has no exemplars, summaries, native histograms, OpenMetrics or
// global registry. A series is never forgotten, so label values must come from a closed set such as
// route patterns, never from a client. A bad name or label, or one family of two types, is a
// mistake in the program and panics when the series is made.
package metrics

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Label is one name and value of a series, as in route="/predict".
type Label struct{ Name, Value string }

// kind is the type of a family as its TYPE line spells it.
type kind string

const (
	counterKind   kind = "counter"
	gaugeKind     kind = "gauge"
	histogramKind kind = "histogram"
)

// Registry makes metrics and writes them. The zero value is not usable; see [New].
type Registry struct {
	stripes *stripes

	mu       sync.Mutex // guards families and everything below them but the values
	families map[string]*family
}

// family is all series of one name.
type family struct {
	name, help string
	kind       kind
	series     []*series // sorted by labels
}

// series is one set of labels. metric is *Counter, *Gauge, *Histogram or a func that gives the
// value at each writing.
type series struct {
	text   string // labels as written, without braces, sorted by name: code="200",route="/predict"
	metric any
}

// New returns an empty registry.
func New() *Registry {
	return &Registry{stripes: newStripes(), families: map[string]*family{}}
}

// Counter returns the counter of that name and those labels, made on first use. By convention the
// name ends in _total.
func (r *Registry) Counter(name, help string, labels ...Label) *Counter {
	return get(r, counterKind, name, help, labels, func() *Counter { return newCounter(r.stripes) })
}

// Gauge returns the gauge of that name and those labels, made on first use.
func (r *Registry) Gauge(name, help string, labels ...Label) *Gauge {
	return get(r, gaugeKind, name, help, labels, func() *Gauge { return newGauge(r.stripes) })
}

// Histogram returns the histogram of that name and those labels, made on first use. By convention
// the name ends in _seconds. All have the same bounds, from 25 us to 10 s.
func (r *Registry) Histogram(name, help string, labels ...Label) *Histogram {
	return get(r, histogramKind, name, help, labels,
		func() *Histogram { return newHistogram(r.stripes) })
}

// CounterFunc adds a counter whose value is asked for at each writing; f must be safe for
// concurrent use and never go down.
func (r *Registry) CounterFunc(name, help string, f func() float64, labels ...Label) {
	addFunc(r, counterKind, name, help, f, labels)
}

// GaugeFunc adds a gauge whose value is asked for at each writing; f must be safe for concurrent
// use.
func (r *Registry) GaugeFunc(name, help string, f func() float64, labels ...Label) {
	addFunc(r, gaugeKind, name, help, f, labels)
}

// InfoFunc adds a gauge of value 1 whose labels are asked for at each writing, and nothing where
// there are none. By convention the name ends in _info.
func (r *Registry) InfoFunc(name, help string, f func() []Label) {
	addFunc(r, gaugeKind, name, help, f, nil)
}

// addFunc makes the series of a func, which, unlike the others, has only one owner.
func addFunc[F any](r *Registry, k kind, name, help string, f F, labels []Label) {
	made := false
	get(r, k, name, help, labels, func() F { made = true; return f })
	if !made {
		panic(fmt.Sprintf("metrics: two functions for the series %s{%s}", name, labelText(labels)))
	}
}

// get finds or makes a series. It panics on a name, label or type that cannot be written.
func get[M any](r *Registry, k kind, name, help string, labels []Label, make func() M) M {
	if !validName(name, true) {
		panic(fmt.Sprintf("metrics: invalid metric name %q", name))
	}
	labels = slices.Clone(labels)
	slices.SortFunc(labels, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	for i, l := range labels {
		if !validName(l.Name, false) || l.Name == "le" {
			panic(fmt.Sprintf("metrics: invalid label name %q in %s", l.Name, name))
		}
		if i > 0 && labels[i-1].Name == l.Name {
			panic(fmt.Sprintf("metrics: label %q twice in %s", l.Name, name))
		}
	}
	text := labelText(labels)

	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.families[name]
	if f == nil {
		f = &family{name: name, help: help, kind: k}
		r.families[name] = f
	}
	if f.kind != k {
		panic(fmt.Sprintf("metrics: %s is a %s, not a %s", name, f.kind, k))
	}
	at, found := slices.BinarySearchFunc(f.series, text,
		func(s *series, text string) int { return strings.Compare(s.text, text) })
	if !found {
		f.series = slices.Insert(f.series, at, &series{text: text, metric: make()})
	}
	m, ok := f.series[at].metric.(M)
	if !ok {
		panic(fmt.Sprintf("metrics: the series %s{%s} is made as a %T and as a %T", name, text,
			f.series[at].metric, m))
	}
	return m
}

// validName reports whether s may name a metric (colons allowed) or a label.
func validName(s string, colon bool) bool {
	for i := range len(s) {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || colon && c == ':'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != "" && (colon || !strings.HasPrefix(s, "__"))
}
