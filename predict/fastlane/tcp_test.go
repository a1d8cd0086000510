package fastlane_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tickercast/predict/fastlane"
)

// These tests repeat on sockets, which the lane reads in another way on Linux, what other tests
// check in virtual time. Times are real here, and short.

func startTCP(t *testing.T) *fastlane.Lane {
	t.Helper()
	srv := newServer(handler())
	srv.ReadHeaderTimeout = 300 * time.Millisecond
	srv.ReadTimeout = 600 * time.Millisecond
	srv.WriteTimeout = 900 * time.Millisecond
	srv.IdleTimeout = 1200 * time.Millisecond
	return serve(t, fastlane.Config{Listener: listenTCP(t), Routes: routes(answer), Server: srv})
}

func dialTCP(t *testing.T, l *fastlane.Lane) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetReadDeadline(time.Now().Add(time.Minute))
	return c.(*net.TCPConn)
}

func TestTimeoutsOverTCP(t *testing.T) {
	whole := post(apple)
	for _, tt := range []struct {
		name, sent, status string
		want               time.Duration
	}{
		{"silent", "", "", 300 * time.Millisecond},
		{"half a head", whole[:60], "", 300 * time.Millisecond},
		{"half a body", whole[:len(whole)-5], "408", 600 * time.Millisecond},
		{"idle", whole, "200", 1200 * time.Millisecond},
		{"half a second head", whole + whole[:60], "200", 300 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := startTCP(t)
			begin := time.Now()
			c := dialTCP(t, l)
			c.Write([]byte(tt.sent))
			out, err := io.ReadAll(c)
			took := time.Since(begin)
			if err != nil || tt.status == "" && len(out) > 0 ||
				!strings.Contains(string(out)+" ", tt.status+" ") ||
				strings.Count(string(out), "HTTP/1.1") > 1 {
				t.Errorf("got %q, %v; want status %q", out, err, tt.status)
			}
			if took < tt.want-10*time.Millisecond || took > tt.want+time.Second {
				t.Errorf("closed after %v, want %v to one second more", took, tt.want)
			}
		})
	}
}

// TestFastClientOverTCP: the lane does not look for the end of a fast client each time, but must
// see it soon.
func TestFastClientOverTCP(t *testing.T) {
	for name, end := range map[string]struct {
		closes bool
		idle   time.Duration // the timeout; only that of a silent client may end its connection
	}{"closes its end": {true, time.Hour}, "falls silent": {false, 2 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newPatientServer(handler())
			srv.IdleTimeout = end.idle
			l := serve(t, fastlane.Config{Listener: listenTCP(t), Routes: routes(answer),
				Server: srv})
			for range 20 { // whether the end comes with the bytes is up to the system
				c := dialTCP(t, l)
				r := bufio.NewReader(c)
				for i := range 40 {
					c.Write([]byte(post(apple)))
					if i == 39 && end.closes {
						c.CloseWrite()
					}
					resp, err := http.ReadResponse(r, nil)
					if err != nil || resp.StatusCode != http.StatusOK {
						t.Fatalf("request %d: got %+v, %v", i, resp, err)
					}
					io.Copy(io.Discard, resp.Body)
				}
				begin := time.Now()
				if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
					t.Fatalf("got %q, %v; want the end", rest, err)
				}
				if took := time.Since(begin); !end.closes && took < end.idle-10*time.Millisecond {
					t.Errorf("closed after %v, want %v", took, end.idle)
				}
				if !end.closes {
					break
				}
			}
		})
	}
}

func TestSlowReaderOverTCP(t *testing.T) {
	t.Parallel()
	l := startTCP(t)
	c := dialTCP(t, l)
	c.SetReadBuffer(4096)
	begin := time.Now()
	// The client does not read its answers, so in the end the server's write waits, then its own.
	request := []byte(strings.Repeat(post(`{"big":1}`), 20))
	var err error
	for err == nil {
		c.SetWriteDeadline(time.Now().Add(5 * time.Second))
		_, err = c.Write(request)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection is still open after %v", time.Since(begin))
	}
}

// smallListener accepts connections with small write buffers.
type smallListener struct{ net.Listener }

func (l smallListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		c.(*net.TCPConn).SetWriteBuffer(4096)
	}
	return c, err
}

// TestBackpressureOverTCP: a client that sends faster than it reads gets every answer whole and in
// order, although the server has to wait within one and keeps only its bytes meanwhile.
func TestBackpressureOverTCP(t *testing.T) {
	t.Parallel()
	l := serve(t, fastlane.Config{Listener: smallListener{listenTCP(t)}, Routes: routes(answer)})
	c := dialTCP(t, l)
	body := func(i int) string { return fmt.Sprintf(`{"big":%d}`, i) }
	const n = 300
	go func() {
		var all strings.Builder
		for i := range n {
			all.WriteString(post(body(i)))
		}
		io.WriteString(c, all.String())
	}()
	r := bufio.NewReaderSize(c, 1024)
	for i := range n {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		if want, _ := predict([]byte(body(i))); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("answer %d is %.50q..., %v; want %.50q...", i, got, err, want)
		}
	}
	if s := l.Stats(); s.HandedOver != 0 {
		t.Errorf("%d connections handed over", s.HandedOver)
	}
}

func TestShutdownOverTCP(t *testing.T) {
	t.Parallel()
	l := serve(t, fastlane.Config{Listener: listenTCP(t), Routes: routes(answer)})
	idle, half := dialTCP(t, l), dialTCP(t, l)
	ri, rh := bufio.NewReader(idle), bufio.NewReader(half)
	for _, c := range []struct {
		*net.TCPConn
		r *bufio.Reader
	}{{idle, ri}, {half, rh}} {
		c.Write([]byte(post(apple)))
		r, err := http.ReadResponse(c.r, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, r.Body)
	}
	half.Write([]byte(post(apple)[:50]))
	done := make(chan error, 1)
	go func() { done <- l.Shutdown(t.Context()) }()
	if rest, err := io.ReadAll(ri); err != nil || len(rest) > 0 {
		t.Errorf("idle connection: got %q, %v", rest, err)
	}
	half.Write([]byte(post(apple)[50:]))
	r, err := http.ReadResponse(rh, nil)
	if err != nil || r.StatusCode != http.StatusOK || !r.Close {
		t.Fatalf("the rest of a request: got %+v, %v", r, err)
	}
	if _, err := io.ReadAll(rh); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := l.Stats(); got.Open != 0 {
		t.Errorf("at the end: got %+v", got)
	}
}

// TestDrainLosesNothing: while the lane drains, an answer tells each connection to close, so that
// clients that never retry lose nothing.
func TestDrainLosesNothing(t *testing.T) {
	t.Parallel()
	var draining atomic.Bool
	ln := listenTCP(t)
	l := serve(t, fastlane.Config{Listener: ln, Routes: routes(answer), Draining: draining.Load})
	var answered, lost atomic.Int64
	var clients sync.WaitGroup
	for range 16 {
		clients.Go(func() {
			for !draining.Load() {
				c, err := net.Dial("tcp", ln.Addr().String())
				if err != nil {
					lost.Add(1)
					return
				}
				r := bufio.NewReader(c)
				for i := 0; ; i++ {
					c.Write([]byte(post(apple)))
					resp, err := http.ReadResponse(r, nil)
					if err != nil {
						lost.Add(1)
						break
					}
					io.Copy(io.Discard, resp.Body)
					answered.Add(1)
					if resp.Close || i == 50 && !draining.Load() {
						break
					}
				}
				c.Close()
			}
		})
	}
	for answered.Load() < 5000 {
		runtime.Gosched()
	}
	draining.Store(true)
	clients.Wait()
	if err := l.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if lost.Load() != 0 {
		t.Errorf("lost %d of %d", lost.Load(), answered.Load()+lost.Load())
	}
}
