package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/internal/ratelimit"
)

// TestSimulation runs the whole server in a world of its own, without a network and in virtual
// time, once for each seed: clients that behave and clients that do not, swaps of what is served,
// forecasts that stand still, minutes that pass, and at the end a drain. Whatever happens,
//
//   - a request that was sent whole to a server that goes on is answered, once, in full, and the answers come in order;
//   - every other connection ends: by the client's hand, or by the server's within its timeouts;
//   - an answer is of one generation of model and prices, and of one that was served while its request was under way;
//   - no answer is older than its time to live, and the cache keeps no more than it may;
//   - at the end no connection, request or goroutine is left.
//
// TICKERCAST_SEEDS runs another number of seeds; a seed that failed is run alone by -run
// TestSimulation/SEED.
func TestSimulation(t *testing.T) {
	seeds := 400
	if s, ok := os.LookupEnv("TICKERCAST_SEEDS"); ok {
		var err error
		seeds, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	dir := t.TempDir()
	worlds := make([]world, 2)
	for i := range worlds {
		path := filepath.Join(dir, fmt.Sprintf("%d.csv", i))
		// 100 and 10,000: see worldOf
		writePrices(t, path, pricesCSV(100*math.Pow(100, float64(i))))
		w, err := source{prices: path}.load(0)
		require.NoError(t, err)
		worlds[i] = w
	}
	var answers atomic.Int64
	for seed := range seeds {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSimulation(t, uint64(seed), worlds)
				s.run()
				answers.Add(s.answers.Load())
			})
		})
		if t.Failed() {
			break
		}
	}
	t.Logf("%d seeds, %d answers", seeds, answers.Load())
}

const (
	simTTL      = 10 * time.Second
	simCapacity = 16
	simPatience = 2 * time.Minute // longer than any timeout of the server
)

type simulation struct {
	*serving
	t      *testing.T
	seed   uint64
	rnd    *rand.Rand // of the main goroutine alone
	worlds []world
	ln     *simListener

	begun, done atomic.Int64 // swaps
	// forecasting has stood still for so long that some requests are refused
	overloaded atomic.Bool
	ending     atomic.Bool // the server may close what it has not read
	answers    atomic.Int64
}

func newSimulation(t *testing.T, seed uint64, worlds []world) *simulation {
	s := &simulation{t: t, seed: seed, rnd: rand.New(rand.NewPCG(seed, 0)), worlds: worlds,
		ln: newSimListener()}
	return s
}

func (s *simulation) run() {
	f := &serveFlags{ttl: simTTL, cacheEntries: simCapacity, timeout: time.Second,
		fastlane: s.rnd.IntN(4) > 0}
	if s.rnd.IntN(4) == 0 {
		f.rate = ratelimit.Rate{Requests: 1_000_000, Period: time.Second} // which nobody reaches
	}
	var err error
	s.serving, err = f.newServing(s.worlds[0], slog.New(slog.DiscardHandler))
	require.NoError(s.t, err)
	public := f.newPublicServer(s.serving)
	lane := s.lane(s.ln, public, f.usesLane(), 0)
	served := make(chan error, 1)
	go func() { served <- public.Serve(s.conns.watch(lane)) }()

	var clients sync.WaitGroup
	for i := range 1 + s.rnd.IntN(8) {
		c := &simClient{simulation: s, rnd: rand.New(rand.NewPCG(s.seed, uint64(i+1)))}
		clients.Go(c.run)
	}
	for range s.rnd.IntN(20) {
		time.Sleep(time.Duration(s.rnd.ExpFloat64() * float64(5*time.Second)))
		if s.rnd.IntN(2) == 0 {
			s.swap()
		} else {
			s.stall()
		}
	}
	if s.rnd.IntN(2) == 0 {
		clients.Wait() // so that an idle server drains too
	}
	s.draining.Store(true)
	time.Sleep(time.Duration(s.rnd.IntN(5)) * time.Second)
	s.ending.Store(true)
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	err = lane.Shutdown(ctx)
	<-served
	if err = errors.Join(err, s.conns.settle(ctx, public), public.Shutdown(ctx)); err != nil {
		s.errorf("the drain ended with %v: something outlived its timeouts", err)
	}
	cancel()
	clients.Wait()
	synctest.Wait()
	if st := lane.Stats(); st.Open != 0 || st.InLane != 0 {
		s.errorf("connections left: %+v", st)
	}
	if n := s.instruments.inFlight.Value(); n != 0 {
		s.errorf("%d requests left in flight", n)
	}
	if n := s.service.CacheStats().Entries; n > simCapacity {
		s.errorf("%d answers kept, want at most %d", n, simCapacity)
	}
	if n := s.panics.Value(); n != 0 {
		s.errorf("%d panics", n)
	}
	s.service.Close()
}

func (s *simulation) errorf(format string, args ...any) {
	s.t.Helper()
	s.t.Errorf("seed %d, at %v: %s", s.seed,
		time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)), fmt.Sprintf(format, args...))
}

func (s *simulation) swap() {
	n := s.begun.Add(1)
	w := s.worlds[n%2]
	if err := s.service.Swap(w.model, w.market); err != nil {
		s.errorf("swap: %v", err)
	}
	s.done.Add(1)
}

// stall swaps after a while.
func (s *simulation) stall() {
	pause := time.Duration(s.rnd.IntN(40)) * time.Millisecond
	if s.rnd.IntN(4) == 0 {
		s.overloaded.Store(true)
		pause *= 20
	}
	time.Sleep(pause)
	s.swap()
	time.Sleep(pause)
}
