package server_test

import (
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/server"
)

// drainDelay is the delay of a server that drains in these tests. By goAwayBy after it a connection
// has its GOAWAY.
const (
	drainDelay = 7 * time.Second
	goAwayBy   = 300 * time.Millisecond
)

func overDrain(t *testing.T, test func(t *testing.T, r *running, connect func() *http2Peer)) {
	overHTTP2(t, func(c *server.Config) { c.DrainDelay = drainDelay }, test)
}

func (h *http2Peer) askForecast(stream uint32) {
	h.post(stream, "17")
	h.data(stream, endStream, aForecast)
}

// requireGoAway wants that just one GOAWAY has come.
func (h *http2Peer) requireGoAway(last uint32) {
	h.t.Helper()
	goAways, _ := h.farewell()
	require.Equal(h.t, []uint32{last}, goAways)
}

func (h *http2Peer) requireNoGoAway() {
	h.t.Helper()
	goAways, ended := h.farewell()
	require.Empty(h.t, goAways)
	require.False(h.t, ended)
}

// TestHTTP2Drain asks on an old connection and on new ones as long as the delay lasts. Nothing but
// /readyz tells of the drain. Then each connection gets one GOAWAY, and is closed a second later.
func TestHTTP2Drain(t *testing.T) {
	overDrain(t, func(t *testing.T, r *running, connect func() *http2Peer) {
		old := connect()
		old.askForecast(1)
		r.terminate()
		began := time.Now()
		stream := uint32(1)
		for time.Since(began) < drainDelay-time.Second {
			stream += 2
			old.askForecast(stream)
			old.requireForecast(stream)
			old.requireNoGoAway()
			fresh := connect()
			fresh.ask(1, endStream, "GET", "/readyz")
			require.Contains(t, fresh.on(1).body, "draining")
			fresh.askForecast(3)
			fresh.requireForecast(3)
			fresh.requireNoGoAway()
			fresh.conn.Close()
			time.Sleep(time.Second)
		}
		unused := connect()
		time.Sleep(time.Until(began.Add(drainDelay)) - time.Millisecond)
		old.requireNoGoAway()
		time.Sleep(goAwayBy)
		old.requireGoAway(stream)
		unused.requireGoAway(0)
		time.Sleep(time.Second)
		old.requireGoAway(stream)
		_, ended := old.farewell()
		require.True(t, ended)
		require.NoError(t, r.end())
		require.Less(t, time.Since(began), drainDelay+2*time.Second)
	})
}

// requestWait is what the server gives an idle connection for one more request.
const requestWait = 250 * time.Millisecond

// TestHTTP2LastRequest asks just when the delay is over. The answer comes, and GOAWAY behind it.
func TestHTTP2LastRequest(t *testing.T) {
	for name, after := range map[string]time.Duration{
		"just before": -time.Millisecond, "just after": time.Millisecond,
		"a little later": requestWait - 5*time.Millisecond,
	} {
		t.Run(name, func(t *testing.T) {
			overDrain(t, func(t *testing.T, r *running, connect func() *http2Peer) {
				used := connect()
				used.askForecast(1)
				r.terminate()
				time.Sleep(drainDelay - 2*time.Millisecond)
				fresh := connect()
				time.Sleep(2*time.Millisecond + after)
				for _, h := range []*http2Peer{used, fresh} {
					h.post(3, "17")
					h.data(3, 0, aForecast[:9])
				}
				time.Sleep(2 * time.Second) // the others would be told by then
				for _, h := range []*http2Peer{used, fresh} {
					h.data(3, endStream, aForecast[9:])
					time.Sleep(100 * time.Millisecond)
					h.requireForecast(3)
					h.requireGoAway(3)
					h.askForecast(5)
					require.False(t, h.on(5).began, "it is above the last stream")
				}
				require.NoError(t, r.end())
			})
		})
	}
}

// TestHTTP2SideBySide has a client ask side by side when the delay is over. GOAWAY comes when the
// streams that it does not refuse are answered and the answers are read, as far as that does not
// take too long. The client does not hear of it before.
func TestHTTP2SideBySide(t *testing.T) {
	for name, tt := range map[string]struct {
		stay, mute bool          // a stream stays open; pings are not answered
		half       bool          // a refused request is sent slowly
		from, to   time.Duration // GOAWAY comes after the last answer
	}{
		"idle at once": {from: 50 * time.Millisecond, to: 150 * time.Millisecond},
		"still sending": {half: true, from: 350 * time.Millisecond,
			to: 450 * time.Millisecond},
		"does not answer a ping": {mute: true, from: 850 * time.Millisecond,
			to: 950 * time.Millisecond},
		"never idle": {stay: true, from: 1500 * time.Millisecond, to: 2100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			overDrain(t, func(t *testing.T, r *running, connect func() *http2Peer) {
				h := connect()
				h.mute = tt.mute
				h.askForecast(1)
				r.terminate()
				time.Sleep(drainDelay - time.Second)
				for _, stream := range []uint32{3, 5, 7} {
					h.post(stream, "17")
					h.data(stream, 0, aForecast[:9])
				}
				time.Sleep(time.Second + goAwayBy)
				h.requireNoGoAway()
				h.askForecast(9)
				h.post(11, "17")
				if !tt.half {
					h.data(11, endStream, aForecast)
				}
				for _, stream := range []uint32{3, 5, 7} {
					if stream == 7 && tt.stay {
						break
					}
					h.data(stream, endStream, aForecast[9:])
					time.Sleep(15 * time.Millisecond)
					h.requireForecast(stream)
				}
				h.requireNoGoAway()
				time.Sleep(tt.from - 20*time.Millisecond)
				h.requireNoGoAway()
				if tt.half {
					h.data(11, endStream, aForecast)
				}
				time.Sleep(tt.to - tt.from)
				h.requireGoAway(7)
				if tt.stay {
					h.data(7, endStream, aForecast[9:])
					time.Sleep(15 * time.Millisecond)
					h.requireForecast(7)
				}
				for _, stream := range []uint32{9, 11} {
					require.False(t, h.on(stream).began, "it is above the last stream")
				}
				require.NoError(t, r.end())
				h.requireGoAway(7)
				if !tt.stay {
					require.Len(t, h.pings, 1)
				}
			})
		})
	}
}

// TestHTTP2SlowStart has clients make their connection when the delay ends and take their time. The
// first request is answered all the same, and a client that sends none does not keep the server.
func TestHTTP2SlowStart(t *testing.T) {
	overDrain(t, func(t *testing.T, r *running, connect func() *http2Peer) {
		busy := connect()
		busy.askForecast(1)
		r.terminate()
		began := time.Now()
		time.Sleep(drainDelay - 10*time.Millisecond)
		slow, silent := connect(), connect()
		time.Sleep(10*time.Millisecond + 200*time.Millisecond)
		slow.askForecast(1)
		time.Sleep(15 * time.Millisecond)
		slow.requireForecast(1)
		time.Sleep(500 * time.Millisecond)
		for _, h := range []*http2Peer{busy, slow} {
			h.requireGoAway(1)
		}
		silent.requireGoAway(0)
		require.NoError(t, r.end())
		require.Less(t, time.Since(began), drainDelay+2*time.Second)
	})
}

// TestHTTP2EndWithoutDelay: an interrupt skips the delay, and nothing else.
func TestHTTP2EndWithoutDelay(t *testing.T) {
	overDrain(t, func(t *testing.T, r *running, connect func() *http2Peer) {
		h := connect()
		h.post(1, "17")
		h.data(1, 0, aForecast[:9])
		r.stop <- os.Interrupt
		synctest.Wait()
		time.Sleep(time.Second)
		h.data(1, endStream, aForecast[9:])
		time.Sleep(15 * time.Millisecond)
		h.requireForecast(1)
		h.requireGoAway(1)
		require.NoError(t, r.end())
	})
}

// TestHTTP2ConnectionHeader: no answer over HTTP/2 speaks of the connection.
func TestHTTP2ConnectionHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), func(c *server.Config) { c.H2C, c.DrainDelay = true, drainDelay })
		r.terminate()
		for _, path := range []string{"/health", "/nosuch"} {
			req, err := http.NewRequest("GET", "http://"+r.Addr+path, nil)
			require.NoError(t, err)
			resp, err := r.public.speaking(h2c, nil).Do(req)
			require.NoError(t, err)
			readAll(t, resp)
			require.Empty(t, resp.Header["Connection"])
			require.False(t, resp.Close)
		}
		require.NoError(t, r.end())
	})
}
