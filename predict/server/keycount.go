package server

import (
	"maps"
	"sync"
	"sync/atomic"

	"tickercast/predict/internal/metrics"
)

// maxCountedKeys bounds the series: a file may have a hundred thousand names.
const maxCountedKeys = 1000

// otherKeys is what the names beyond are counted under. No name has a space.
const otherKeys = "all others"

// keyCounts count requests by the name of their key. The counters are in a map that is replaced
// when a name is new, so that looking one up takes no lock and no allocation.
type keyCounts struct {
	registry *metrics.Registry
	byName   atomic.Pointer[map[string]*metrics.Counter]
	mu       sync.Mutex // held while byName is replaced
}

// of returns the counter of a name.
func (k *keyCounts) of(name string) *metrics.Counter {
	if known := k.byName.Load(); known != nil {
		if c, ok := (*known)[name]; ok {
			return c
		}
	}
	return k.add(name)
}

func (k *keyCounts) add(name string) *metrics.Counter {
	k.mu.Lock()
	defer k.mu.Unlock()
	counters := map[string]*metrics.Counter{}
	if known := k.byName.Load(); known != nil {
		if c, ok := (*known)[name]; ok {
			return c
		}
		if len(*known) >= maxCountedKeys {
			return k.counter(otherKeys)
		}
		maps.Copy(counters, *known)
	}
	counters[name] = k.counter(name)
	k.byName.Store(&counters)
	return counters[name]
}

func (k *keyCounts) counter(name string) *metrics.Counter {
	return k.registry.Counter("http_requests_by_key_total",
		"Requests with a known API key, by its name, those over their rate included.",
		metrics.Label{Name: "key", Value: name})
}
