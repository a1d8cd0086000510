package source_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tickercast/model/market"
	"tickercast/model/source"
)

// serving starts a server, and returns it with a Loader of its prices.
func serving(t *testing.T, path string, h http.HandlerFunc) (*httptest.Server, *source.Loader) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv, loaderOf(source.Config{Prices: srv.URL + path})
}

func loaderOf(c source.Config) *source.Loader {
	l := source.NewLoader(c)
	l.Hurry(5*time.Second, 20*time.Second)
	return l
}

func mustLoad(t *testing.T, l *source.Loader) *market.Market {
	t.Helper()
	_, mk, err := l.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return mk
}

func mustLook(t *testing.T, l *source.Loader) source.Fingerprint {
	t.Helper()
	now, err := l.Watch()["prices"].Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return now
}

// closeOf is the last close of the first ticker.
func closeOf(mk *market.Market) float64 { return mk.Tickers()[0].Close }

// versioned serves prices by the rules of conditional requests.
type versioned struct {
	level          atomic.Int64
	etag, modified bool
	bodies         atomic.Int64 // sent
}

func (v *versioned) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	level := v.level.Load()
	if v.etag {
		w.Header().Set("ETag", fmt.Sprintf(`"%d"`, level))
	}
	var changed time.Time
	if v.modified {
		changed = time.Unix(1_700_000_000+level, 0)
	}
	out := &counting{ResponseWriter: w}
	http.ServeContent(out, r, "", changed, bytes.NewReader(pricesCSV(float64(level), 60)))
	if out.n > 0 {
		v.bodies.Add(1)
	}
}

type counting struct {
	http.ResponseWriter
	n int
}

func (c *counting) Write(p []byte) (int, error) {
	c.n += len(p)
	return c.ResponseWriter.Write(p)
}

// TestURLThatChanges looks at prices and loads them, with each way in which a server can say that
// they are the same.
func TestURLThatChanges(t *testing.T) {
	for name, v := range map[string]*versioned{"etag": {etag: true}, "modified": {modified: true},
		"both": {etag: true, modified: true}, "neither": {}} {
		t.Run(name, func(t *testing.T) {
			v.level.Store(100)
			_, l := serving(t, "/prices.csv", v.ServeHTTP)
			first := mustLook(t, l)
			mk := mustLoad(t, l)
			if got := closeOf(mk); got < 98 || got > 102 {
				t.Errorf("got a close of %v, want about 100", got)
			}
			before := v.bodies.Load()
			again, same := mustLook(t, l), mustLoad(t, l)
			if again != first {
				t.Error("prices that are the same look changed")
			}
			if v.etag || v.modified {
				if sent := v.bodies.Load() - before; sent != 0 || same != mk {
					t.Errorf("%d bodies sent of prices that are the same", sent)
				}
			}
			v.level.Store(200)
			if mustLook(t, l) == first {
				t.Error("prices that changed look the same")
			}
			if got := closeOf(mustLoad(t, l)); got < 195 || got > 205 {
				t.Errorf("got a close of %v, want about 200", got)
			}
		})
	}
}

// TestURLWithoutTickerColumn takes the ticker from the last element of the path.
func TestURLWithoutTickerColumn(t *testing.T) {
	for _, path := range []string{"/daily/ACME.csv", "/daily/ACME.csv.gz?key=1", "/ACME"} {
		_, l := serving(t, path, func(w http.ResponseWriter, r *http.Request) {
			data := bytes.ReplaceAll(pricesCSV(100, 60), []byte("ticker"), []byte("note"))
			if strings.HasSuffix(r.URL.Path, ".gz") {
				data = gzipped(data)
			}
			w.Write(data)
		})
		if got := mustLoad(t, l).Tickers()[0].Name; got != "ACME" {
			t.Errorf("%s: got the ticker %q", path, got)
		}
	}
}

// TestURLOfPackedPrices sends chunks of gzip, as a server that packs what it makes, and then stops
// in the middle.
func TestURLOfPackedPrices(t *testing.T) {
	data := gzipped(pricesCSV(100, 60))
	var cut atomic.Int64
	_, l := serving(t, "/prices.csv", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Error("gzip is not accepted")
		}
		w.Header().Set("Content-Encoding", "gzip")
		for chunk := range slices.Chunk(data[:len(data)-int(cut.Load())], 100) {
			w.Write(chunk)
			w.(http.Flusher).Flush()
		}
	})
	mk := mustLoad(t, l)
	if got := mk.Panel().Rows(); got != 60 {
		t.Errorf("got %d rows", got)
	}
	cut.Store(int64(len(data) / 3))
	_, got, err := l.Load(t.Context())
	if err == nil || !strings.HasSuffix(err.Error(), "unexpected EOF") || got != mk {
		t.Errorf("got error %v for a part of the prices", err)
	}
}

// TestURLThatFails wants a reason for each failure, without secrets, and the prices of before.
func TestURLThatFails(t *testing.T) {
	var answer atomic.Pointer[http.HandlerFunc]
	set := func(h http.HandlerFunc) { answer.Store(&h) }
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a redirect to another host is followed, with %v", r.Header)
	}))
	defer elsewhere.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(*answer.Load())(w, r)
	}))
	defer srv.Close()
	good := pricesCSV(100, 60)
	set(func(w http.ResponseWriter, _ *http.Request) { w.Write(good) })
	secrets := []string{"anna", "s3cret", "t0ken", "key"}
	l := source.NewLoader(source.Config{Prices: strings.Replace(srv.URL, "//",
		"//anna:s3cret@", 1) + "/prices.csv?key=t0ken"})
	l.Hurry(300*time.Millisecond, time.Second)
	mk := mustLoad(t, l)
	if got := (source.Config{Prices: "http://anna:s3cret@host/p.csv?key=t0ken"}).Name(); got !=
		"http://host/p.csv" {
		t.Errorf("got the name %q", got)
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", to)
			w.WriteHeader(302)
		}
	}
	drip := func(pause time.Duration) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				io.WriteString(w, "d")
				w.(http.Flusher).Flush()
				select {
				case <-time.After(pause):
				case <-r.Context().Done():
				}
			}
		}
	}
	for want, h := range map[string]http.HandlerFunc{
		"404 Not Found":           status(404),
		"401 Unauthorized":        status(401),
		"503 Service Unavailable": status(503),
		"204 No Content":          status(204),
		"304 Not Modified":        status(304),
		"redirects to another host or scheme, \"" + elsewhere.URL: redirect(elsewhere.URL),
		"scheme, \"file://":          redirect("file:///etc/passwd"),
		"redirects to what is no":    redirect("http://%zz?t0ken"),
		"more than 5 redirects":      redirect("/again?t0ken"),
		"sent nothing for 300ms":     func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"took longer than 1s":        drip(10 * time.Millisecond),
		"sent nothing for 300ms (2)": drip(time.Minute),
		"unexpected EOF": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(good)))
			w.Write(good[:len(good)/2])
		},
		"EOF": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"server response headers exceeded": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 1<<20))
		},
		`/prices.csv:1: `: func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "<html>welcome</html>\n")
		},
	} {
		want, _, _ = strings.Cut(want, " (2)")
		set(h)
		m, got, err := l.Load(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), srv.URL+"/prices.csv") {
			t.Errorf("got error %v, want %s", err, want)
			continue
		}
		if m == nil || got != mk {
			t.Errorf("%s: got market %p, want that of before", want, got)
		}
		if want != `/prices.csv:1: ` {
			now, lookErr := l.Watch()["prices"].Look(t.Context())
			if lookErr == nil || now != (source.Fingerprint{}) {
				t.Errorf("%s: a look finds %x and error %v", want, now, lookErr)
			} else {
				err = fmt.Errorf("%w %w", err, lookErr)
			}
		}
		for _, secret := range secrets {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%v has %q", err, secret)
			}
		}
	}
	set(func(w http.ResponseWriter, _ *http.Request) { w.Write(good) })
	if _, _, err := l.Load(t.Context()); err != nil {
		t.Errorf("after all: %v", err)
	}
}

// TestURLOfTooMuch sends bytes without an end, plain and packed.
func TestURLOfTooMuch(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(32 << 20))
	endless := func(w io.Writer) {
		io.WriteString(w, "date,ticker,close,note\n")
		row := []byte("2020-01-02,ACME,1," + strings.Repeat("x", 1<<16) + "\n")
		for n := 0; n < 1<<30; n += len(row) {
			if _, err := w.Write(row); err != nil {
				return
			}
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"plain": func(w http.ResponseWriter, _ *http.Request) { endless(w) },
		"encoding": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			endless(gzip.NewWriter(w))
		},
		"file": func(w http.ResponseWriter, _ *http.Request) { endless(gzip.NewWriter(w)) },
	} {
		_, l := serving(t, "/prices.csv.gz", h)
		_, _, err := l.Load(t.Context())
		if err == nil || !strings.HasSuffix(err.Error(), "larger than 32 MB") {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}
