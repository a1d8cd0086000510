package admission

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// A Lag watches how long what can be read waits for its goroutine. It sends a byte to itself
// through a pipe, which the runtime's poller puts at the end of what is ready, where the next
// request is too. Nothing is sent while nobody asks, or once a byte has come back at once: that was
// an idle moment.
//
// It sees nothing where the poller cannot wait for a pipe, and never reports a queue there.
type Lag struct {
	mu    sync.Mutex
	queue standing // guarded by mu
	r, w  *os.File
	ready syscall.RawConn // of r
	asked chan struct{}   // of size 1
	done  chan struct{}
	epoch time.Time
}

// NewLag returns a Lag to be closed after use.
func NewLag() (*Lag, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("admission: %w", err)
	}
	l := &Lag{r: r, w: w, asked: make(chan struct{}, 1), done: make(chan struct{}),
		epoch: time.Now()}
	l.queue.empty, l.queue.interval = 500*time.Microsecond, 100*time.Millisecond
	if l.ready, err = r.SyscallConn(); err != nil {
		l.Close()
		return nil, fmt.Errorf("admission: %w", err)
	}
	go l.watch()
	return l, nil
}

// Standing reports whether there has been no idle moment for a while.
func (l *Lag) Standing() bool {
	select {
	case l.asked <- struct{}{}:
	default:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queue.long(l.now())
}

func (l *Lag) now() time.Duration { return time.Since(l.epoch) }

// watch probes when somebody asks, and goes on until there is an idle moment.
func (l *Lag) watch() {
	for {
		select {
		case <-l.asked:
		case <-l.done:
			return
		}
		for again := true; again; {
			took, err := l.probe()
			if err != nil {
				return
			}
			l.mu.Lock()
			again = l.queue.saw(took, l.now())
			l.mu.Unlock()
		}
	}
}

// probe is how long a byte takes. It is written when the poller has been told that it is waited
// for, so that it cannot be read before the poller has seen it.
func (l *Lag) probe() (time.Duration, error) {
	var sent time.Duration
	var b [1]byte
	written := false
	err := l.ready.Read(func(uintptr) (done bool) {
		if written {
			return true
		}
		written, sent = true, l.now()
		_, err := l.w.Write(b[:])
		return err != nil
	})
	took := l.now() - sent
	if err == nil {
		_, err = l.r.Read(b[:])
	}
	return took, err
}

// Close ends it, once. What it said last it says from then on.
func (l *Lag) Close() error {
	close(l.done)
	l.w.Close()
	return l.r.Close()
}
