package predict_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/predict"
	"tickercast/predict/internal/limits"
)

// A stranger holds memory for no client.
type stranger struct{}

func (stranger) Client() netip.Addr { return netip.Addr{} }
func (stranger) Stop()              {}

// countedDays serves longPanel, of which a limiter counts the earlier days.
func countedDays(t *testing.T, total int64) (*predict.Service, http.Handler, *limits.Limiter) {
	t.Helper()
	l := limits.NewLimiter(total)
	s := newEmptyService(t, func(cfg *predict.Config) { cfg.Memory = l })
	swapTo(t, s, longPanel(t))
	return s, handlerOf(s), l
}

func swapTo(t *testing.T, s *predict.Service, p *market.Panel) {
	t.Helper()
	m, err := model.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	mk, err := market.New(t.Context(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Swap(t.Context(), calibrate.NewYearly(m, p, nil), mk); err != nil {
		t.Fatal(err)
	}
}

// askDay asks for T1 as of a day, with levels, which no cache has.
func askDay(h http.Handler, day any) (status int, retry string) {
	w := call(h, "POST", "/predict",
		fmt.Sprintf(`{"ticker":"T1","levels":[0.9],"as_of":"%v"}`, day))
	return w.Code, w.Header().Get("Retry-After")
}

// TestDaysAreCounted asks for more days than are kept: the limiter counts eight, and none once
// other prices are served.
func TestDaysAreCounted(t *testing.T) {
	s, h, l := countedDays(t, 64<<20)
	days := longPanel(t).TradingDays()
	one := int64(0)
	for i := range 20 {
		if status, _ := askDay(h, days[600+7*i]); status != 200 {
			t.Fatalf("day %d: got %d", i, status)
		}
		if i == 0 {
			one = l.Used()
		}
		if want := one * int64(min(i+1, 8)); one == 0 || l.Used() != want {
			t.Fatalf("after %d days %d bytes are counted, want %d", i+1, l.Used(), want)
		}
	}
	swapTo(t, s, longPanel(t).Until(days[1000]))
	if l.Used() != 0 {
		t.Errorf("%d bytes are counted for days of prices that are gone", l.Used())
	}
}

// TestDaysLeaveRoom: days take no more than half of the memory, so that those who ask for ever more
// of them keep no one else from it.
func TestDaysLeaveRoom(t *testing.T) {
	_, h, l := countedDays(t, 64<<20)
	days := longPanel(t).TradingDays()
	askDay(h, days[700])
	one := l.Used()
	_, h, l = countedDays(t, 7*one)
	for i := range 12 { // of the last year, whose step is there
		if status, _ := askDay(h, longPanel(t).AsOf()-1-calendar.Date(i)); status != 200 {
			t.Fatalf("day %d: got %d", i, status)
		}
		if l.Used() > l.Total()/2 {
			t.Fatalf("days hold %d bytes of %d", l.Used(), l.Total())
		}
	}
}

// TestNoRoomForADay: without room for a day the answer is a 503 to be tried again, for one client
// as for many at once. Answers of the last day go on, and so do those of days when there is room.
func TestNoRoomForADay(t *testing.T) {
	_, h, l := countedDays(t, 64<<20)
	days := longPanel(t).TradingDays()
	var other limits.Hold
	l.Open(&other, stranger{}, 0)
	if err := other.Grow(int(l.Total())); err != nil {
		t.Fatal(err)
	}
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			if status, retry := askDay(h, days[700+i%2]); status != 503 || retry != "1" {
				t.Errorf("without room: got %d and Retry-After %q", status, retry)
			}
		})
	}
	clients.Wait()
	w := call(h, "GET", "/predict/T1?as_of="+days[700].String(), "")
	if w.Code != 503 || w.Header().Get("Retry-After") != "1" {
		t.Errorf("GET without room: got %d %v", w.Code, w.Header())
	}
	if w := call(h, "POST", "/predict", `{"ticker":"T1"}`); w.Code != 200 {
		t.Errorf("the last day: got %d, want 200", w.Code)
	}
	if l.Used() != l.Total() {
		t.Errorf("%d bytes are counted, want %d", l.Used(), l.Total())
	}
	other.Release()
	if status, _ := askDay(h, days[700]); status != 200 {
		t.Errorf("with room again: got %d", status)
	}
}

// TestRoomForOneDay has room for a single day: it is made once for all who ask for it together, and
// makes room for the next.
func TestRoomForOneDay(t *testing.T) {
	_, h, l := countedDays(t, 64<<20)
	days := longPanel(t).TradingDays()
	askDay(h, days[700])
	one := l.Used()
	_, h, l = countedDays(t, one+4<<20) // what making a step takes for a moment comes on top
	var other limits.Hold
	l.Open(&other, stranger{}, 0)
	for _, day := range days[700:706] {
		var clients sync.WaitGroup
		for range 8 {
			clients.Go(func() {
				if status, _ := askDay(h, day); status != 200 {
					t.Errorf("got %d", status)
				}
			})
		}
		clients.Wait()
		other.Release()
		if err := other.Grow(int(l.Total() - one)); err != nil {
			t.Fatalf("more than one day is counted: %d bytes of %d", l.Used(), one)
		}
	}
}

// TestIdleDaysGiveWay: when others are refused memory, a day that no one has asked for lately is
// given up.
func TestIdleDaysGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, h, l := countedDays(t, 4<<20)
		days := longPanel(t).TradingDays()
		askDay(h, days[700])
		time.Sleep(limits.Patience / 2)
		askDay(h, days[701])
		one := l.Used() / 2
		time.Sleep(limits.Patience/2 + time.Second)
		var other limits.Hold
		l.Open(&other, stranger{}, 0)
		if other.Grow(int(l.Total()-one)) == nil {
			t.Fatal("there was room beside two days")
		}
		synctest.Wait()
		if l.Used() != one {
			t.Fatalf("%d bytes are counted, want those of the day that was asked for last, %d",
				l.Used(), one)
		}
		if err := other.Grow(int(l.Total() - one)); err != nil {
			t.Error(err)
		}
		if status, _ := askDay(h, days[701]); status != 200 {
			t.Errorf("the day that is left: got %d", status)
		}
		if status, _ := askDay(h, days[700]); status != 200 {
			t.Errorf("another day in its place: got %d", status)
		}
	})
}
