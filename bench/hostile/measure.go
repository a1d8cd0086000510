//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"tickercast/bench/load"
	"tickercast/bench/proc"
)

// result is what a run measured. Memory is in bytes.
type result struct {
	*options
	grouped               bool
	before, after         state
	peak                  int64 // resident memory
	took                  time.Duration
	calm, attacked, aside goodResult       // aside is of the server that is not attacked
	made                  map[string]int64 // connections, by kind
	exited                bool
	cpu                   time.Duration // of the server, during the attack
	load                  string        // of the machine, at the end of the attack
}

// A state is how much a server holds.
type state struct {
	resident int64
	entries  float64 // in the cache
	bytes    float64
}

func (s *server) state(ctx context.Context) (now state, err error) {
	if now.entries, err = s.metric(ctx, "predict_cache_entries"); err != nil {
		return now, err
	}
	if now.bytes, err = s.metric(ctx, "predict_cache_bytes"); err != nil {
		return now, err
	}
	now.resident = s.resident()
	return now, nil
}

func (o *options) measure(ctx context.Context, dir string) (*result, error) {
	r := &result{options: o, made: map[string]int64{}}
	s, err := o.start(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	r.grouped = s.grouped
	aside, err := o.start(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer aside.stop()
	if r.calm, _, err = o.askBoth(s, aside, 5*time.Second, func() {}); err != nil {
		return nil, err
	}
	if r.before, err = s.state(ctx); err != nil {
		return nil, err
	}
	stop := proc.Every(20*time.Millisecond, func() { r.peak = max(r.peak, s.resident()) })
	a := newAttack(o, s.Addr)
	before, err := s.Usage()
	if err != nil {
		return nil, err
	}
	r.attacked, r.aside, err = o.askBoth(s, aside, o.hold, func() {
		during, cancel := context.WithTimeout(ctx, o.hold)
		defer cancel()
		a.run(during)
	})
	stop()
	if after, err := s.Usage(); err == nil {
		r.cpu = after.CPU - before.CPU
	}
	for i, k := range o.kinds {
		r.made[k.name] = a.made[i].Load()
	}
	if average, err := os.ReadFile("/proc/loadavg"); err == nil {
		r.load, _, _ = strings.Cut(string(average), " ")
	}
	if r.exited = s.Exited(); r.exited || err != nil {
		return r, err
	}
	return r, r.awaitCalm(ctx, s)
}

// askBoth runs a good client of each server for a time, and f meanwhile.
func (o *options) askBoth(s, aside *server, d time.Duration,
	f func()) (a, b goodResult, err error) {
	one, err := o.startGoodClient(s.Addr, d)
	if err != nil {
		return a, b, err
	}
	two, err := o.startGoodClient(aside.Addr, d)
	if err != nil {
		return a, b, err
	}
	f()
	a, err = one.result()
	b, err2 := two.result()
	return a, b, errors.Join(err, err2)
}

// awaitCalm waits until the server holds no more than before, or may wait no longer.
func (r *result) awaitCalm(ctx context.Context, s *server) (err error) {
	for begin := time.Now(); ; {
		// The metrics are asked for last: a server makes garbage for them.
		r.after.resident, r.took = s.resident(), time.Since(begin)
		if r.memoryIsBack() || r.took >= r.wait {
			resident := r.after.resident
			r.after, err = s.state(ctx)
			r.after.resident = resident
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// goroutineBytes is what the runtime never gives back: descriptors of as many goroutines as there
// have been at once, some 20,000 with all kinds of connections.
const goroutineBytes = 8 << 20

func (r *result) memoryIsBack() bool {
	return r.after.resident <= r.before.resident*6/5+goroutineBytes
}

func (r *result) print(w io.Writer) {
	const mb = 1 << 20
	fmt.Fprintf(w, "%d MiB, %d connections", r.limit, r.n)
	if r.grouped {
		fmt.Fprintf(w, ", in a control group")
	}
	if r.tls {
		fmt.Fprintf(w, ", TLS")
	}
	fmt.Fprintf(w, ", load average %s\nopened      %v, %.1f s of CPU\n", r.load, r.made,
		r.cpu.Seconds())
	fmt.Fprintf(w, "resident    %d MiB before, %d at most, %d after %v\n", r.before.resident/mb,
		r.peak/mb, r.after.resident/mb, r.took.Round(time.Second))
	fmt.Fprintf(w, "cache       %.0f entries, %.1f MiB before, %.0f, %.1f MiB after\n",
		r.before.entries, r.before.bytes/mb, r.after.entries, r.after.bytes/mb)
	fmt.Fprintf(w, "calm        %v\nattacked    %v\naside       %v\n", r.calm, r.attacked, r.aside)
}

// What the good client must get.
const (
	leastShare = 0.95
	mostP99    = 250 * time.Millisecond
)

func (r *result) missed() (err error) {
	miss := func(missed bool, format string, args ...any) {
		if missed {
			err = errors.Join(err, fmt.Errorf(format, args...))
		}
	}
	miss(r.peak > r.limit<<20, "%d MiB were resident", r.peak>>20)
	if miss(r.exited, "the server has exited"); r.exited {
		return err
	}
	miss(r.attacked.Share < leastShare, "the good client got %.1f %% of its answers",
		100*r.attacked.Share)
	most := max(mostP99, 5*r.calm.P99, 5*r.aside.P99)
	miss(r.timed && r.attacked.P99 > most, "p99 of the good client is %v, want %v",
		load.Round(r.attacked.P99), load.Round(most))
	miss(!r.memoryIsBack(), "%d MiB are resident %v after the attack, %d were before",
		r.after.resident>>20, r.took.Round(time.Second), r.before.resident>>20)
	miss(r.after.bytes < 0.9*r.before.bytes, "the cache has %.1f MiB, and had %.1f before",
		r.after.bytes/(1<<20), r.before.bytes/(1<<20))
	return err
}
