package server

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSettle ends a server at a moment when each of its connections is at another point: what comes
// of them is exact here, where time is virtual.
func TestSettle(t *testing.T) {
	const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, tt := range map[string]struct {
		first string        // sent before the end, once that was answered:
		then  string        // sent,
		rest  string        // and this after a while
		after time.Duration // of the end,
		more  string        // and this after a second
		lost  bool
	}{
		"a new connection": {rest: request, after: lastLook - time.Millisecond},
		"a new connection, later": {rest: request, after: lastLook + time.Millisecond,
			lost: true},
		"a byte in the last look": {rest: request[:1], more: request[1:],
			after: lastLook - time.Millisecond},
		"half a head": {then: request[:9], rest: request[9:],
			after: time.Second},
		"an idle one, in the last look": {first: request, rest: request,
			after: lastLook - time.Millisecond},
		"an idle one, after it": {first: request, rest: request,
			after: lastLook + time.Millisecond, lost: true},
		"half a second head": {first: request, then: request[:9], rest: request[9:],
			after: time.Second},
		"half a head in the last look": {first: request, rest: request[:9], more: request[9:],
			after: lastLook - time.Millisecond},
		"half a head with the first": {first: request + request[:9], rest: request[9:],
			after: time.Second},
		"less than a head begins with": {first: request, then: request[:3], rest: request[3:],
			after: lastLook + time.Millisecond, lost: true},
		"a new one that asks for a lot": {rest: "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n",
			after: lastLook - time.Millisecond},
		"a new one that is never sent":   {lost: true},
		"an idle one that is never sent": {first: request, lost: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var conns connections
				end := false
				server := newHTTPServer(http.HandlerFunc(func(w http.ResponseWriter,
					r *http.Request) {
					if r.URL.Path == "/slow" {
						time.Sleep(5 * time.Second)
					}
					if end {
						w.Header().Set("Connection", "close")
					}
					io.WriteString(w, "done")
				}), slog.New(slog.DiscardHandler))
				server.ConnState = conns.track
				ln := newSimListener()
				accepted := make(chan error, 1)
				go func() { accepted <- server.Serve(conns.watch(ln)) }()

				c, err := ln.dial(nil)
				require.NoError(t, err)
				in := bufio.NewReader(c)
				if tt.first != "" {
					io.WriteString(c, tt.first)
					resp, err := http.ReadResponse(in, nil)
					require.NoError(t, err)
					io.Copy(io.Discard, resp.Body)
				}
				io.WriteString(c, tt.then)
				synctest.Wait()

				end = true
				began := time.Now()
				ln.Close()
				<-accepted
				ended := make(chan error, 1)
				go func() {
					ended <- errors.Join(conns.settle(t.Context(), server),
						server.Shutdown(t.Context()))
				}()
				time.Sleep(tt.after)
				io.WriteString(c, tt.rest)
				if tt.more != "" {
					time.Sleep(time.Second)
					io.WriteString(c, tt.more)
				}
				resp, err := http.ReadResponse(in, nil)
				if tt.lost {
					require.Error(t, err)
				} else {
					require.NoError(t, err)
					require.True(t, resp.Close)
					body, err := io.ReadAll(resp.Body)
					require.NoError(t, err)
					require.Equal(t, "done", string(body))
				}
				require.NoError(t, <-ended)
				if tt.rest == "" {
					require.Less(t, time.Since(began), 10*lastLook, "waited for nothing")
				}
				c.Close()
				for range conns.all {
					t.Error("a connection is left")
				}
			})
		})
	}
}

func TestSettleEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var conns connections
		server := newHTTPServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
		w := &watchedConn{Conn: new(simConn)}
		conns.track(w, http.StateNew)
		conns.track(w, http.StateActive)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, conns.settle(ctx, server), context.DeadlineExceeded)
	})
}
