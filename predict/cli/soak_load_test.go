package cli_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tickercast/bench"
	"tickercast/bench/load"
	"tickercast/predict/server"
)

// A soakMix is what well-behaved clients send over connections that they keep: mostly forecasts,
// three in four of them cached, and of everything else a little. It counts the answers that are
// due.
type soakMix struct {
	hit, miss bench.Workload
	others    []expected
	due       [1000]atomic.Int64 // by status
}

// expected is a request with the status of its answer.
type expected struct {
	status  int
	request []byte
}

func newSoakMix(host string) *soakMix {
	m := &soakMix{hit: bench.Hit(host), miss: bench.Miss(host)}
	post := func(status int, path, body string) {
		m.others = append(m.others, expected{status,
			load.NewRequest("POST", path, host, []byte(body))})
	}
	get := func(status int, path string) {
		m.others = append(m.others, expected{status,
			fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host)})
	}
	post(422, "/predict", `{"ticker":"AAPL","days_ahead":99}`)
	post(422, "/predict", `{"ticker":"AAPL","days_ahead":`)
	post(422, "/predict", `{"days_ahead":5,"confidence_interval":"much"}`)
	post(404, "/predict", `{"ticker":"ZZZZQ"}`)
	post(404, "/nowhere", `{}`)
	post(200, "/predict/batch",
		`{"requests":[`+strings.Repeat(`{"ticker":"AAPL","days_ahead":3},{"ticker":"ZZZZQ"},`,
			20)+`{"ticker":"MSFT"}]}`)
	post(200, "/v2/models/tickercast/infer",
		`{"inputs":[{"name":"ticker","shape":[1],"datatype":"BYTES","data":["AAPL"]}]}`)
	for _, path := range []string{"/predict/MSFT?days_ahead=7", "/tickers/AAPL", "/model",
		"/health", "/livez", "/readyz", "/v2", "/docs"} {
		get(200, path)
	}
	get(405, "/predict/batch")
	return m
}

func (m *soakMix) requests(conn int) func() []byte {
	rnd := rand.New(rand.NewPCG(7, uint64(conn)))
	hit, miss := m.hit(conn), m.miss(conn)
	return func() []byte {
		switch n := rnd.IntN(100); {
		case n < 60:
			m.due[200].Add(1)
			return hit()
		case n < 80:
			m.due[200].Add(1)
			return miss()
		}
		e := m.others[rnd.IntN(len(m.others))]
		m.due[e.status].Add(1)
		return e.request
	}
}

// soakCrowd are the other clients: those that come for one request, that go away in the middle of
// one, that are slow to send or to read, and that do nothing.
type soakCrowd struct {
	t        *testing.T
	addr     string
	clients  sync.WaitGroup
	done     [4]atomic.Int64 // conversations, by kind
	failures atomic.Int64
}

var crowdKinds = [4]string{"one request a connection", "aborted", "slow", "idle"}

func (c *soakCrowd) start(ctx context.Context) {
	for kind, k := range []struct {
		clients int
		pause   time.Duration // between two conversations of a client
		talk    func(context.Context, net.Conn, *rand.Rand) error
	}{{2, 50 * time.Millisecond, c.once}, {2, 100 * time.Millisecond, c.abort},
		{12, 100 * time.Millisecond, c.crawl}, {16, 0, c.idle}} {
		for i := range k.clients {
			c.clients.Go(func() {
				rnd := rand.New(rand.NewPCG(uint64(kind), uint64(i)))
				for ctx.Err() == nil {
					conn, err := net.DialTimeout("tcp", c.addr, 5*time.Second)
					if err == nil {
						err = k.talk(ctx, conn, rnd)
						conn.Close()
					}
					c.done[kind].Add(1)
					if err != nil && ctx.Err() == nil && c.failures.Add(1) < 10 {
						c.t.Errorf("%s: %v", crowdKinds[kind], err)
					}
					rest(ctx, time.Duration(rnd.ExpFloat64()*float64(k.pause)))
				}
			})
		}
	}
}

// rest waits for d or the end.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (c *soakCrowd) once(_ context.Context, conn net.Conn, _ *rand.Rand) error {
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(conn, "GET /predict/AAPL HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200") {
		return fmt.Errorf("got %.80q, %v", answer, err)
	}
	return nil
}

// abort sends a request, or part of it, and resets the connection.
func (c *soakCrowd) abort(_ context.Context, conn net.Conn, rnd *rand.Rand) error {
	request := load.NewRequest("POST", "/predict", "x", []byte(`{"ticker":"AAPL"}`))
	if rnd.IntN(2) == 0 {
		request = load.NewRequest("POST", "/predict/batch", "x",
			[]byte(`{"requests":[`+strings.Repeat(`{"ticker":"AAPL"},`, 999)+`{"ticker":"MSFT"}]}`))
	}
	conn.Write(request[:1+rnd.IntN(len(request))])
	conn.(*net.TCPConn).SetLinger(0)
	return nil
}

// crawl sends a head or a body so slowly that the server gives up, or reads an answer slowly for a
// while.
func (c *soakCrowd) crawl(ctx context.Context, conn net.Conn, rnd *rand.Rand) error {
	request := load.NewRequest("POST", "/predict", "x", []byte(`{"ticker":"AAPL"}`))
	sent := 1 // of the head
	switch rnd.IntN(3) {
	case 0:
		sent = len(request) - 10 // within the body
	case 1:
		conn.(*net.TCPConn).SetReadBuffer(4096)
		conn.Write(load.NewRequest("POST", "/predict/batch", "x",
			[]byte(`{"requests":[`+strings.Repeat(`{"ticker":"AAPL","days_ahead":30},`,
				299)+`{"ticker":"MSFT"}]}`)))
		for b := make([]byte, 4096); ctx.Err() == nil &&
			rnd.IntN(50) > 0; rest(ctx, 100*time.Millisecond) {
			conn.SetReadDeadline(time.Now().Add(5 * time.Second))
			if _, err := conn.Read(b); err != nil {
				return nil // the server waits for readers no longer than it must
			}
		}
		return nil
	}
	conn.Write(request[:sent])
	for began := time.Now(); ctx.Err() == nil; sent++ {
		conn.SetReadDeadline(time.Now().Add(time.Second))
		b := make([]byte, 512)
		n, err := conn.Read(b)
		// for half a body, and for half a line
		if n > 0 && !strings.HasPrefix(string(b), "HTTP/1.1 408") &&
			!strings.HasPrefix(string(b), "HTTP/1.1 400") {
			return fmt.Errorf("got %.80q", b[:n])
		}
		if n > 0 || err == io.EOF {
			return nil
		}
		if time.Since(began) > 20*time.Second {
			return fmt.Errorf("still open after 20 s")
		}
		if sent < len(request)-1 {
			conn.Write(request[sent : sent+1])
		}
	}
	return nil
}

// idle asks once and then waits until the server has enough of it.
func (c *soakCrowd) idle(ctx context.Context, conn net.Conn, rnd *rand.Rand) error {
	if rnd.IntN(2) == 0 {
		fmt.Fprintf(conn, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
	} else {
		conn.Write(load.NewRequest("POST", "/predict", "x", []byte(`{"ticker":"AAPL"}`)))
	}
	b := make([]byte, 1024)
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := conn.Read(b); err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 200") {
		return fmt.Errorf("got %.80q, %v", b, err)
	}
	end := context.AfterFunc(ctx, func() { conn.Close() })
	defer end()
	conn.SetReadDeadline(time.Now().Add(server.Default().IdleTimeout + 10*time.Second))
	if n, err := conn.Read(b); err != io.EOF {
		return fmt.Errorf("after an idle time: %d bytes, %v; want the end", n, err)
	}
	return nil
}
