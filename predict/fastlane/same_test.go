package fastlane_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tickercast/predict/fastlane"
	"tickercast/predict/internal/memnet"
	"tickercast/predict/internal/wirecase"
)

var dates = regexp.MustCompile(`(?m)^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r$`)

// compare sends input, once for each way to split it, to servers with and without the lane, and
// with and without a guard. With the lane the client must get the same bytes, and the end of the
// connection. Time is virtual, so no timeout depends on how busy the machine is.
func compare(t *testing.T, input []byte, splits ...uint64) {
	t.Helper()
	good := func(b []byte) bool { return len(b) > 0 && b[0] != 'b' }
	for _, with := range []struct {
		lane    fastlane.Config
		handler http.Handler
	}{{fastlane.Config{Routes: routes(answer)}, handler()}, {guarded(), guardedHandler()}} {
		with.lane.ValidID, with.lane.ValidTrace = good, good
		var outputs [2][][]byte
		for i, cfg := range []fastlane.Config{with.lane, {}} {
			synctest.Test(t, func(t *testing.T) {
				ln := memnet.Listen()
				cfg.Listener, cfg.Server = ln, newServer(with.handler)
				_, stop := start(t, cfg)
				for _, split := range splits {
					outputs[i] = append(outputs[i], talk(t, ln, input, split))
				}
				stop()
				time.Sleep(time.Second) // net/http closes some connections after half a second
			})
		}
		for i, split := range splits {
			if got, want := outputs[0][i], outputs[1][i]; !bytes.Equal(got, want) {
				t.Errorf("split %d of %q:\nwith the lane    %q\nwithout the lane %q", split, input,
					got, want)
			}
		}
	}
}

// talk sends input, which the server reads in pieces, and returns all that comes back, without
// dates.
func talk(t *testing.T, l *memnet.Listener, input []byte, split uint64) []byte {
	t.Helper()
	r := rand.New(rand.NewPCG(split, 0))
	c, err := l.Dial(func() int {
		switch split {
		case 0:
			return memnet.Buffer
		case 1: // byte by byte
			return 1
		default:
			return 1 + r.IntN(1+r.IntN(400))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() {
		c.Write(input) // an error means that the server has had enough
		c.CloseWrite()
	}()
	c.SetReadDeadline(time.Now().Add(time.Hour))
	out, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("reading the answers: %v after %q", err, out)
	}
	return dates.ReplaceAll(out, []byte("Date: now\r"))
}

// allSeeds are seeds and the cases that the whole server is tested with.
func allSeeds() []string {
	all := slices.Clone(seeds)
	for _, c := range wirecase.Cases() {
		if n := len(c.Request); n > 12_000 && n < 20_000 {
			continue // net/http counts the head of a pipelined request from another place
		}
		all = append(all, c.Request, post(apple)+c.Request+post(apple))
	}
	return all
}

func TestSameWithAndWithoutLane(t *testing.T) {
	all := allSeeds()
	if testing.Short() {
		all = seeds
	}
	for i, s := range all {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			if testing.Short() && len(s) > 30000 {
				t.Skip("long")
			}
			compare(t, []byte(s), 0, 1, 2, 3, 4, 5)
		})
	}
}

func FuzzSameWithAndWithoutLane(f *testing.F) {
	for i, s := range allSeeds() {
		f.Add([]byte(s), uint64(i%5))
	}
	f.Fuzz(func(t *testing.T, input []byte, split uint64) {
		if len(input) > 100<<10 {
			return
		}
		compare(t, input, split, 0)
	})
}

// TestLaneAnswers makes sure that the comparison above is not one of net/http with itself.
func TestLaneAnswers(t *testing.T) {
	seen := 0
	ln := memnet.Listen()
	l := serve(t, fastlane.Config{Listener: ln,
		Routes: routes(func(r *fastlane.Request) (fastlane.Response, bool) {
			seen++
			return answer(r)
		})})
	for split := range uint64(6) {
		seen = 0
		got := talk(t, ln,
			[]byte(post(apple)+"\r\n"+post(`{"big":1}`)+request("Connection: Keep-Alive")), split)
		if n := bytes.Count(got, []byte("HTTP/1.1 200 OK\r\n")); n != 4 || seen != 4 {
			t.Errorf("split %d: got %d answers and %d in the lane, want 4: %q", split, n, seen, got)
		}
	}
	if got := l.Stats().HandedOver; got != 0 {
		t.Errorf("got %d connections handed over, want 0", got)
	}
}

// TestLaneRefuses makes sure that the lane sends refusals too.
func TestLaneRefuses(t *testing.T) {
	var seen []int
	ln, cfg := memnet.Listen(), guarded()
	cfg.Listener = ln
	inner := cfg.Routes[0].Answer
	cfg.Routes[0].Answer = func(r *fastlane.Request) (fastlane.Response, bool) {
		resp, ok := inner(r)
		seen = append(seen, resp.Status)
		return resp, ok
	}
	l := serve(t, cfg)
	with := func(key string) string {
		return strings.Replace(post(apple), "Accept: */*", "X-Api-Key: "+key, 1)
	}
	out := talk(t, ln,
		[]byte(with("a")+with("refuse")+with("b")+with("close")+with("unread")), 0)
	if want := []int{0, 401, 0, 503}; !slices.Equal(seen, want) || l.Stats().HandedOver != 0 {
		t.Errorf("got %d and %d connections handed over, want %d and none", seen,
			l.Stats().HandedOver, want)
	}
	if got := regexp.MustCompile(`HTTP/1.1 \d+`).FindAllString(string(out), -1); fmt.Sprint(got) !=
		"[HTTP/1.1 200 HTTP/1.1 401 HTTP/1.1 200 HTTP/1.1 503]" {
		t.Errorf("got %q", got)
	}
}

// TestSameOverTCP runs the seeds over sockets, which the lane reads in another way on Linux.
func TestSameOverTCP(t *testing.T) {
	with, portably, without := listenTCP(t), listenTCP(t), listenTCP(t)
	serve(t, fastlane.Config{Listener: with, Routes: routes(answer)})
	serve(t, fastlane.Config{Listener: portable{portably}, Routes: routes(answer)})
	serve(t, fastlane.Config{Listener: without})
	exchange := func(ln net.Listener, input string, split int) string {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for len(input) > 0 {
			n := min(len(input), split)
			if _, err := c.Write([]byte(input[:n])); err != nil {
				break
			}
			input = input[n:]
		}
		c.(*net.TCPConn).CloseWrite()
		c.SetReadDeadline(time.Now().Add(time.Minute))
		out, _ := io.ReadAll(c)
		return string(dates.ReplaceAll(out, []byte("Date: now\r")))
	}
	for _, s := range seeds {
		for _, split := range []int{1 << 20, 50} {
			want := exchange(without, s, split)
			for _, ln := range []net.Listener{with, portably} {
				// A server that closes with bytes unread makes the system reset the connection,
				// which may cost the client the last bytes. So one may be a prefix of the other.
				got := exchange(ln, s, split)
				if !strings.HasPrefix(got, want) && !strings.HasPrefix(want, got) {
					t.Errorf("%q:\nwith the lane    %q\nwithout the lane %q", s, got, want)
				}
			}
		}
	}
}
