package server_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/server"
)

func TestRunSaysWhatItServes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := embedded()
		require.NoError(t, err)
		r := start(t, inMemory(), func(c *server.Config) {
			c.MaxConns, c.CacheBytes = 77, 1<<20
		})
		// Not require.Equal, which would print the market.
		require.True(t, r.Info == server.Info{Addr: "192.0.2.1:80",
			AdminAddr: server.DefaultAdminAddr, Model: d.model, Market: d.market, MaxConns: 77,
			CacheBytes: 1 << 20, HeldBytes: 64 << 20, MaxBatchBody: 4 << 20, FastLane: true})
		require.Equal(t, "1", r.metric(`model_info{version="`+d.model.Version()+`",as_of="`+
			d.market.AsOf().String()+`"}`))
	})
	synctest.Test(t, func(t *testing.T) {
		n := inMemory()
		n.admin = ""
		r := start(t, n, nil)
		require.Empty(t, r.AdminAddr)
		status, _ := r.public.get(t, "/livez")
		require.Equal(t, 200, status)
	})
}

// TestPortInUse has each port be another program's. The default one of the admin port is only a
// wish.
func TestPortInUse(t *testing.T) {
	for _, tt := range []struct{ taken, admin, want string }{
		{"192.0.2.1:80", server.DefaultAdminAddr, "192.0.2.1:80"},
		{"127.0.0.1:9999", "127.0.0.1:9999", "admin address: "},
		{server.DefaultAdminAddr, server.DefaultAdminAddr, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := inMemory()
			n.admin = tt.admin
			listen := n.listen
			n.listen = func(ctx context.Context, addr string) (net.Listener, error) {
				if addr == tt.taken {
					return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: &net.TCPAddr{},
						Err: errors.Join(errors.New(addr), syscall.EADDRINUSE)}
				}
				return listen(ctx, addr)
			}
			r := launch(t, n, nil)
			if tt.want == "" {
				r.awaitReady()
				require.Equal(t, "127.0.0.1:0", r.AdminAddr)
				return
			}
			err := r.end()
			require.ErrorIs(t, err, syscall.EADDRINUSE)
			require.ErrorContains(t, err, tt.want)
			_, err = n.dial(n.public)
			require.Error(t, err, "something still listens")
		})
	}
}

// TestDrainDelay ends a server by SIGTERM. It is not ready at once, answers for DrainDelay, asks
// each client to leave, and ends.
func TestDrainDelay(t *testing.T) {
	onEveryRoad(t, func(t *testing.T, road road) {
		const delay = 7 * time.Second
		n := road.on(inMemory())
		r := start(t, n, func(c *server.Config) { c.DrainDelay = delay })
		status, body := r.public.get(t, "/readyz")
		require.Equal(t, 200, status, body)
		began := time.Now()
		r.terminate()
		for time.Since(began) < delay-time.Second {
			status, body = r.public.get(t, "/readyz")
			require.Equal(t, 503, status, body)
			require.Contains(t, body, "draining")
			resp, body := r.public.ask(t, "POST", "/predict", aForecast)
			require.Equal(t, 200, resp.StatusCode, body)
			require.Equal(t, !road.http2, resp.Close) // HTTP/2 has GOAWAY for that
			time.Sleep(time.Second)
		}
		require.NoError(t, r.end())
		took, leave := time.Since(began), 50*time.Millisecond
		if road.http2 { // its clients are asked to leave, and get time for that
			leave = 2 * time.Second
		}
		require.GreaterOrEqual(t, took, delay)
		require.Less(t, took, delay+leave)
		for _, addr := range []string{r.Addr, r.AdminAddr} {
			_, err := n.dial(addr)
			require.Error(t, err, "something still listens")
		}
		require.Contains(t, r.log.String(), `"msg":"drained"`)
	})
}

// TestEndWithoutDelay: an interrupt comes from a person and the end of a context from a program,
// and neither waits for a balancer.
func TestEndWithoutDelay(t *testing.T) {
	for name, end := range map[string]func(*running){
		"interrupt": func(r *running) { r.stop <- os.Interrupt },
		"context":   func(r *running) { r.cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			onEveryRoad(t, func(t *testing.T, road road) {
				r := start(t, road.on(inMemory()), func(c *server.Config) {
					c.DrainDelay = time.Hour
				})
				c := r.public.connect(t) // on which nothing comes
				time.Sleep(time.Second)
				began := time.Now()
				end(r)
				require.NoError(t, r.end())
				require.Less(t, time.Since(began), 100*time.Millisecond)
				_, err := c.Read(make([]byte, 1))
				require.Error(t, err)
			})
		})
	}
}

// TestSecondSignal cuts a drain short, in the delay and when it waits for a request.
func TestSecondSignal(t *testing.T) {
	onEveryRoad(t, func(t *testing.T, road road) {
		for _, wait := range []time.Duration{0, 90 * time.Second} {
			r := start(t, road.on(inMemory()), func(c *server.Config) {
				c.DrainDelay, c.Grace = time.Minute, time.Hour
				c.ReadTimeout = time.Hour
			})
			c := r.public.connect(t)
			require.NoError(t, c.SetDeadline(time.Time{}))
			_, err := io.WriteString(c, good[:len(good)-1])
			require.NoError(t, err)
			r.terminate()
			time.Sleep(wait)
			r.terminate()
			require.ErrorContains(t, r.end(), "second signal")
			_, err = c.Read(make([]byte, 1))
			require.Error(t, err)
		}
	})
}

// TestGrace has a request not come to its end within the grace period.
func TestGrace(t *testing.T) {
	onEveryRoad(t, func(t *testing.T, road road) {
		const grace = 3 * time.Second
		r := start(t, road.on(inMemory()), func(c *server.Config) { c.Grace = grace })
		c := r.public.connect(t)
		_, err := io.WriteString(c, good[:len(good)-1])
		require.NoError(t, err)
		synctest.Wait()
		began := time.Now()
		r.stop <- os.Interrupt
		require.ErrorContains(t, r.end(), "still in flight at the end of the grace period")
		require.Equal(t, grace, time.Since(began))
		_, err = c.Read(make([]byte, 1))
		require.Error(t, err)
	})
}

// TestNewRefuses gives settings that cannot be meant.
func TestNewRefuses(t *testing.T) {
	for want, change := range map[string]func(*server.Config){
		"-read-timeout 0s is not above zero": func(c *server.Config) { c.ReadTimeout = 0 },
		"-idle-timeout -1s is not above zero": func(c *server.Config) {
			c.IdleTimeout = -time.Second
		},
		"-tls-cert and -tls-key go":     func(c *server.Config) { c.TLSCert = "cert.pem" },
		"-rate-burst needs -rate-limit": func(c *server.Config) { c.RateBurst = 1 },
		`origin "x"`:                    func(c *server.Config) { c.CORSOrigins = []string{"x"} },
		"-max-body 0 is not from 1 to":  func(c *server.Config) { c.MaxBody = 0 },
		"-max-batch-body 1073741825 is not from 1 to 1073741824": func(c *server.Config) {
			c.MaxBatchBody = 1<<30 + 1
		},
		"-max-batch-items -1 is not from 1 to":     func(c *server.Config) { c.MaxBatchItems = -1 },
		"-max-header-bytes 1000 is not from 1024":  func(c *server.Config) { c.MaxHeaderBytes = 1000 },
		"-max-header-fields 0 is not from 1 to 10": func(c *server.Config) { c.MaxHeaderFields = 0 },
		"Timeout is -1s": func(c *server.Config) {
			c.BatchTimeout = -time.Second
		},
	} {
		cfg := server.Default()
		cfg.Load = loadEmbedded
		cfg.Logger = slog.New(slog.DiscardHandler)
		change(&cfg)
		s, err := server.New(cfg)
		require.ErrorContains(t, err, want)
		require.Nil(t, s)
	}
}
