package overload_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tickercast/predict/internal/overload"
)

// A simulated core runs one call at a time, in virtual time.
type core struct {
	*overload.Limiter
	running chan struct{} // of one, since time stands still while a goroutine waits for a mutex
}

// call is one call with a body of so many bytes that needs the core for some time. It returns how
// long it took, or false if it was refused.
func (c *core) call(size int, work time.Duration) (took time.Duration, ok bool) {
	began := time.Now()
	if c.Full(size) {
		return 0, false
	}
	done, err := c.Acquire(context.Background(), size)
	if err != nil {
		return 0, false
	}
	c.running <- struct{}{}
	time.Sleep(work)
	<-c.running
	done()
	return time.Since(began), true
}

// TestGoodput offers one core up to twenty times what it can do for a while: of what it could
// answer, it must answer 90 % within 100 ms, whatever a byte costs.
func TestGoodput(t *testing.T) {
	for _, c := range []struct {
		size int
		work time.Duration
	}{
		{30 << 10, 2500 * time.Microsecond}, // 500 forecasts that are not in the cache
		{60 << 10, 200 * time.Microsecond},  // 1000 that are
		{3 << 10, 50 * time.Microsecond},    // a history
		{10 << 10, 12 * time.Millisecond},
	} {
		for _, times := range []time.Duration{1, 2, 10, 20} {
			synctest.Test(t, func(t *testing.T) {
				one := &core{overload.New(1), make(chan struct{}, 1)}
				n := int(min(3*time.Second/c.work, 1500))
				var mu sync.Mutex
				good, offered := 0, 0
				var calls sync.WaitGroup
				end := time.Now().Add(time.Duration(n) * c.work)
				for ; time.Now().Before(end); offered++ {
					calls.Go(func() {
						took, ok := one.call(c.size, c.work)
						if ok && took <= 100*time.Millisecond {
							mu.Lock()
							good++
							mu.Unlock()
						}
					})
					time.Sleep(c.work / times)
				}
				calls.Wait()
				if good*100 < n*90 {
					t.Errorf("%d bytes, %v, %d times: %d good answers of %d, want %d at least",
						c.size, c.work, times, good, offered, n*90/100)
				}
			})
		}
	}
}

// TestClosedLoops has clients that wait for their answers on cores that can carry them: none may be
// refused, whatever was served before.
func TestClosedLoops(t *testing.T) {
	for _, c := range []struct {
		cores, clients int
		size           int
		work           time.Duration
	}{
		{1, 64, 6 << 10, 100 * time.Microsecond}, // histories
		{2, 64, 6 << 10, 250 * time.Microsecond}, // the same on a busy machine
		{2, 16, 70 << 10, 15 * time.Millisecond}, // the largest batches
		{2, 16, 1 << 20, 30 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := overload.New(c.cores)
			cores := make(chan struct{}, c.cores)
			var clients sync.WaitGroup
			for range c.clients {
				clients.Go(func() {
					for range 50 {
						if l.Full(c.size) {
							t.Errorf("%+v: refused", c)
							return
						}
						done, err := l.Acquire(context.Background(), c.size)
						if err != nil {
							t.Errorf("%+v: %v", c, err)
							return
						}
						cores <- struct{}{}
						time.Sleep(c.work)
						<-cores
						done()
					}
				})
			}
			clients.Wait()
		})
	}
}
