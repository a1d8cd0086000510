package server_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/predict/server"
)

// TestSwapsUnderLoad makes a thousand swaps between two markets while clients ask: no error, no
// answer that mixes two markets, none of a market that was gone when its request began.
func TestSwapsUnderLoad(t *testing.T) {
	swaps := 1000
	if testing.Short() || raceEnabled {
		swaps = 100
	}
	markets := twoMarkets(t)
	loads := 0
	r := start(t, loopback(), func(c *server.Config) {
		c.Load = func(ctx context.Context) (*calibrate.Yearly, *market.Market, error) {
			loads++
			return markets[(loads-1)%2].load(ctx)
		}
	})
	var begun, done atomic.Int64 // swaps that began and that were complete
	var answers atomic.Int64
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				before := done.Load()
				status, body := r.public.post(t, "/predict",
					fmt.Sprintf(`{"ticker":"acme","days_ahead":%d}`, 1+n%30))
				after := begun.Load()
				if status != http.StatusOK {
					t.Errorf("status %d: %s", status, body)
					return
				}
				if got := marketOf(decodeRows(t, body)); got < 0 || before == after &&
					got != int(before%2) {
					t.Errorf("an answer of market %d between swaps %d and %d: %s", got, before,
						after, body)
					return
				}
				answers.Add(1)
			}
		})
	}
	for i := 1; i <= swaps; i++ {
		begun.Add(1)
		status, body := r.admin.post(t, "/-/reload", "")
		require.Equal(t, 200, status, body)
		done.Add(1)
		for seen := answers.Load(); i%10 == 0 && answers.Load() < seen+8 && !t.Failed(); {
			runtime.Gosched() // so that some requests lie between two swaps, and some across
		}
	}
	close(stop)
	clients.Wait()
}

// twoMarkets have ACME near 100 and near 10,000; see marketOf.
func twoMarkets(t testing.TB) [2]data {
	var markets [2]data
	for i := range markets {
		markets[i] = near(t, 100*math.Pow(100, float64(i)), "ACME")
	}
	return markets
}

// marketOf returns which of the two markets made an answer, or -1 if its rows disagree.
func marketOf(rows []prediction) int {
	is := -1
	for i, r := range rows {
		m := 0
		if r.Price > 1000 {
			m = 1
		}
		if i > 0 && m != is || (m == 0) != (r.Upper < 1000) || (m == 1) != (r.Lower > 1000) {
			return -1
		}
		is = m
	}
	return is
}
