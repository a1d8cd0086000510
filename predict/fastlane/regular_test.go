package fastlane_test

import (
	"net/http"
	"testing"
	"time"

	"tickercast/predict/fastlane"
	"tickercast/predict/internal/memnet"
)

// TestRegularClientsStay has newcomers take no place of clients that ask again and again, but those
// of others, and those when they have not asked for a while.
func TestRegularClientsStay(t *testing.T) {
	withLane(t, 2, func(t *testing.T, ln *memnet.Listener, l *fastlane.Lane) {
		regular := [2]client{dial(t, ln), dial(t, ln)}
		ask := func() {
			for range fastlane.RegularRequests {
				for _, c := range regular {
					c.send(post(apple))
				}
			}
		}
		ask()
		for range 5 {
			time.Sleep(120 * time.Millisecond)
			dial(t, ln).ended()
			ask()
		}
		time.Sleep(180 * time.Millisecond)
		if r := dial(t, ln).send(post(apple)); r.StatusCode != http.StatusOK {
			t.Errorf("the newcomer got status %d", r.StatusCode)
		}
		settle()
		if got := l.Stats(); got.Open != 2 || got.Rejected != 5 || got.Evicted != 1 {
			t.Errorf("got %+v, want 2 open, 5 rejected, 1 evicted", got)
		}
	})
}
