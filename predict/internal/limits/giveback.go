package limits

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// giveBackEvery is how often GiveBack looks.
	giveBackEvery = 10 * time.Second

	// quietCycles is how many collections may fall in that time if the process counts as quiet: in
	// a busy one garbage is soon used again.
	quietCycles = 2
)

// GiveBack returns memory to the system, until ctx ends, when clients that made the process take
// much have left. The runtime itself does so only as far as it collects garbage, and a process that
// answers from its cache makes none: after an attack it would stay as large as then for minutes.
func GiveBack(ctx context.Context) {
	giveBack(ctx, readUse, debug.FreeOSMemory)
}

// use is what the runtime says of itself.
type use struct {
	held   uint64 // bytes that the system has given it
	cycles uint64 // collections so far
}

func readUse() use {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"}, {Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(s)
	return use{s[0].Value.Uint64() - s[1].Value.Uint64(), s[2].Value.Uint64()}
}

// giveBack frees in a quiet time if the process has become a tenth larger than it was, and again as
// long as that helps: pools keep what they have for one collection, and the last clients may just
// be leaving.
func giveBack(ctx context.Context, read func() use, free func()) {
	tick := time.NewTicker(giveBackEvery)
	defer tick.Stop()
	least, before := uint64(0), read()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := read()
		if now.cycles-before.cycles <= quietCycles && now.held > least+least/10 {
			free()
			grown := now.held
			if now = read(); now.held > grown-grown/20 {
				least = now.held // there is no more to give
			}
		}
		least = min(least, now.held)
		before = now
	}
}
