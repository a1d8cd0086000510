package load

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// scripted is a connection that answers every request with the next chunks of a script.
type scripted struct {
	net.Conn
	r io.Reader
}

func (s *scripted) Read(p []byte) (int, error)  { return s.r.Read(p) }
func (s *scripted) Write(p []byte) (int, error) { return len(p), nil }
func (s *scripted) SetDeadline(time.Time) error { return nil }

func TestReceive(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nDate: today\r\n"
	for _, tt := range []struct {
		name, in string
		status   int
		body     string
		close    bool
		err      error // nil: read whole
	}{
		{name: "plain", in: head + "Content-Length: 5\r\n\r\nhello", status: 200, body: "hello"},
		{name: "lower case, no reason", in: "HTTP/1.1 422\r\ncontent-length:\t2 \r\n\r\n{}",
			status: 422, body: "{}"},
		{name: "empty body", in: head + "Content-Length: 0\r\n\r\n", status: 200},
		{name: "no content", in: "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", status: 204},
		{name: "larger than the buffer", in: head + "Content-Length: 100000\r\n\r\n" +
			strings.Repeat("x", 100_000), status: 200, body: strings.Repeat("x", 100_000)},
		{name: "close", in: head + "Connection: close\r\nContent-Length: 1\r\n\r\nx", status: 200,
			body: "x", close: true},
		{name: "keep-alive", in: head + "connection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx",
			status: 200, body: "x"},
		{name: "1.0", in: "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", status: 200, body: "x",
			close: true},
		{name: "1.0 kept alive",
			in:     "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
			status: 200, body: "x"},
		{name: "same length twice", in: head + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
			status: 200, body: "x"},

		{name: "nothing", in: "", err: io.EOF},
		{name: "cut in the head", in: head, err: errTruncated},
		{name: "cut in the body", in: head + "Content-Length: 5\r\n\r\nhell", err: errTruncated},
		{name: "body too long", in: head + "Content-Length: 5\r\n\r\nhello!", err: errUnsolicited},
		{name: "chunked", in: head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			err: errMalformed},
		{name: "until close", in: head + "\r\nhello", err: errMalformed},
		{name: "two lengths", in: head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
			err: errMalformed},
		{name: "signed length", in: head + "Content-Length: +1\r\n\r\nx", err: errMalformed},
		{name: "absurd length", in: head + "Content-Length: 99999999999\r\n\r\nx",
			err: errMalformed},
		{name: "not HTTP", in: "SSH-2.0-OpenSSH_9.2 x\r\n\r\n", err: errMalformed},
		{name: "status of letters", in: "HTTP/1.1 2xx OK\r\nContent-Length: 1\r\n\r\nx",
			err: errMalformed},
		{name: "four digits", in: "HTTP/1.1 2000 OK\r\nContent-Length: 1\r\n\r\nx",
			err: errMalformed},
		{name: "no colon", in: "HTTP/1.1 200 OK\r\nContent-Length 1\r\n\r\nx", err: errMalformed},
		{name: "endless head", in: head + "X: " + strings.Repeat("y", 70<<10), err: errMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for mode, r := range map[string]io.Reader{
				"at once":      strings.NewReader(tt.in),
				"byte by byte": iotest.OneByteReader(strings.NewReader(tt.in)),
				"data and EOF": iotest.DataErrReader(strings.NewReader(tt.in)),
			} {
				if mode == "byte by byte" && tt.err == errUnsolicited {
					continue // the surplus has not arrived yet
				}
				c := conn{c: &scripted{r: r}, timeout: time.Second}
				got, err := c.exchange([]byte("GET / HTTP/1.1\r\n\r\n"), 0)
				if !errors.Is(err, tt.err) {
					t.Fatalf("%s: error %v, want %v", mode, err, tt.err)
				}
				if tt.err == nil && (got.status != tt.status || string(got.body) != tt.body ||
					got.close != tt.close) {
					t.Errorf("%s: got %d, %d bytes, close %v; want %d, %d bytes, close %v",
						mode, got.status, len(got.body), got.close, tt.status, len(tt.body),
						tt.close)
				}
			}
		})
	}
}

// repeating answers every Read with the whole of one response.
type repeating struct {
	scripted
	response string
}

func (r *repeating) Read(p []byte) (int, error) { return copy(p, r.response), nil }

func TestExchangeAllocatesNothing(t *testing.T) {
	c := conn{c: &repeating{response: "HTTP/1.1 200 OK\r\nContent-Type: " +
		"application/json\r\nContent-Length: 2\r\n\r\n[]"}, timeout: time.Second}
	request := []byte("POST /predict HTTP/1.1\r\n\r\n")
	exchange := func() {
		if _, err := c.exchange(request, 0); err != nil {
			t.Fatal(err)
		}
	}
	exchange() // the buffer grows here
	if n := testing.AllocsPerRun(100, exchange); n != 0 {
		t.Errorf("an exchange allocates %v times, want 0", n)
	}
}

func FuzzReceive(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	f.Add("HTTP/1.0 500 \r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	f.Fuzz(func(t *testing.T, in string) {
		c := conn{c: &scripted{r: strings.NewReader(in)}, timeout: time.Second}
		got, err := c.receive()
		if err == nil && (!strings.HasSuffix(in, string(got.body)) || got.status < 0 ||
			got.status > 999) {
			t.Errorf("status %d, body %q of %q", got.status, got.body, in)
		}
		// The bytes may arrive in any pieces, but a surplus may then not have arrived yet.
		split := conn{c: &scripted{r: iotest.OneByteReader(strings.NewReader(in))},
			timeout: time.Second}
		again, err2 := split.receive()
		if (err == nil) != (err2 == nil) && !errors.Is(err, errUnsolicited) {
			t.Errorf("at once: %v; byte by byte: %v", err, err2)
		}
		if err == nil && (again.status != got.status || string(again.body) != string(got.body)) {
			t.Errorf("at once: %d %q; byte by byte: %d %q", got.status, got.body, again.status,
				again.body)
		}
	})
}

func BenchmarkExchange(b *testing.B) {
	c := conn{c: &repeating{response: "HTTP/1.1 200 OK\r\nContent-Type: " +
		"application/json\r\nDate: Tue, 24 Nov 2026 23:00:00 GMT\r\nContent-Length: 2\r\n\r\n[]"},
		timeout: time.Second}
	request := []byte("POST /predict HTTP/1.1\r\n\r\n")
	for b.Loop() {
		if _, err := c.exchange(request, 0); err != nil {
			b.Fatal(err)
		}
	}
}
