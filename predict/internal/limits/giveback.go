package limits

import (
	"cmp"
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

// maxRest is how many looks giveBack leaves out at most, some five minutes.
const maxRest = 32

// giveBack frees in a quiet time if the process is a tenth larger than it once was: again at once
// as long as that helps, since pools keep what they have for one collection, and then less and
// less often. What the last clients leave may be little, and yet keep much from being given back.
func giveBack(ctx context.Context, read func() use, free func()) {
	tick := time.NewTicker(giveBackEvery)
	defer tick.Stop()
	least, before := uint64(0), read()
	rest, pause := 0, 1 // looks to leave out, and how many the next time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := read()
		quiet := now.cycles-before.cycles <= quietCycles
		switch {
		case rest > 0:
			rest--
		case quiet && now.held > least+least/10:
			free()
			grown := now.held
			if now = read(); now.held > grown-grown/20 {
				least = cmp.Or(least, now.held)
				rest, pause = pause, min(2*pause, maxRest)
			} else {
				pause = 1
			}
		}
		least = min(least, now.held)
		before = now
	}
}
