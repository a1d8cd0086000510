package source

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"

	"tickercast/model/internal/file"
	"tickercast/model/market"
)

// A remote is prices behind an http or https URL.
type remote struct {
	url       *url.URL
	name      string // for messages: without user and query, which may be secret
	authFile  string
	transport *http.Transport
	times     times

	mu       sync.Mutex // guards what follows
	seen     version    // by the last look that did not fail
	lookedAt time.Time
	failure  error // of the last look
}

// times bound what a server may take.
type times struct {
	stall    time.Duration // until the head, and between two reads of the body
	total    time.Duration // for an answer
	interval time.Duration // between two looks
}

// A version is what a server says of the age of its prices, to be asked whether they have changed.
// The zero value is no version.
type version struct {
	etag, modified string
	print          Fingerprint
}

const (
	maxRedirects = 5
	maxHead      = 64 << 10 // bytes of a header
	maxAuth      = 16 << 10 // bytes of a file with credentials
)

// isURL reports whether prices come from a server.
func isURL(prices string) bool {
	scheme, _, ok := strings.Cut(prices, "://")
	return ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

func newRemote(prices, authFile string) (*remote, error) {
	u, err := url.Parse(prices)
	if err != nil || u.Host == "" {
		// The error would quote the URL, and with it a password.
		return nil, errors.New("-prices has an http or https URL that cannot be parsed")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = maxHead
	return &remote{url: u, name: nameOf(u), authFile: authFile, transport: transport,
		times: times{stall: 15 * time.Second, total: 10 * time.Minute, interval: time.Second},
	}, nil
}

// nameOf returns a URL without what may be secret. Its last element can be a ticker, so it is not
// escaped unless it must be.
func nameOf(u *url.URL) string {
	path := u.Path
	if strings.ContainsFunc(path, func(r rune) bool { return !unicode.IsPrint(r) }) {
		path = u.EscapedPath()
	}
	return u.Scheme + "://" + u.Host + path
}

// A fetchError is why prices did not arrive. Prices that have arrived and are bad have other
// errors.
type fetchError struct{ err error }

func (e *fetchError) Error() string { return e.err.Error() }
func (e *fetchError) Unwrap() error { return e.err }

func (r *remote) fail(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &fetchError{fmt.Errorf("%s: %w", r.name, err)}
}

// look returns a fingerprint of the prices, with as little traffic as the server allows. More than
// one look in an interval is answered from the first.
func (r *remote) look(ctx context.Context) (Fingerprint, error) {
	r.mu.Lock()
	seen, failure, recent := r.seen, r.failure, time.Since(r.lookedAt) < r.times.interval
	r.mu.Unlock()
	if !recent {
		var now version
		now, failure = r.lookAt(ctx, seen)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.lookedAt, r.failure = time.Now(), failure
		if failure == nil {
			seen, r.seen = now, now
		}
	}
	if failure != nil {
		return Fingerprint{}, failure
	}
	return seen.print, nil
}

func (r *remote) lookAt(ctx context.Context, seen version) (version, error) {
	d, err := r.get(ctx, seen)
	if d == nil {
		return seen, err
	}
	defer d.close()
	now := d.version
	if now.etag == "" && now.modified == "" { // then only the prices themselves tell
		h := sha256.New()
		if _, err := io.Copy(h, d); err != nil {
			return version{}, r.fail(ctx, err)
		}
		now.print = Fingerprint(h.Sum(nil))
	}
	return now, nil
}

// panel reads the prices. The panel is nil without an error if they are still those of old.
func (r *remote) panel(ctx context.Context, old version,
	o market.Options) (*market.Panel, version, error) {
	d, err := r.get(ctx, old)
	if d == nil {
		return nil, old, err
	}
	defer d.close()
	text := &bounded{r: d, left: most()}
	buffered := bufio.NewReader(d)
	if magic, _ := buffered.Peek(2); string(magic) == "\x1f\x8b" {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, old, r.fail(ctx, err)
		}
		text.r = unzipped
	} else {
		text.r = buffered
	}
	panel, err := market.Read(ctx, text, r.name, o)
	if text.err != nil {
		return nil, old, r.fail(ctx, text.err)
	}
	return panel, d.version, err
}

// get asks for the prices. It returns nil if they are still those of old. Redirects are followed on
// the same host, which may have the credentials.
func (r *remote) get(ctx context.Context, old version) (*download, error) {
	d := &download{times: r.times}
	inner, stop := context.WithTimeoutCause(ctx, r.times.total,
		fmt.Errorf("took longer than %v", r.times.total))
	inner, cancel := context.WithCancelCause(inner)
	d.ctx, d.timer = inner, time.AfterFunc(r.times.stall, func() {
		cancel(fmt.Errorf("sent nothing for %v", r.times.stall))
	})
	d.close = func() { d.timer.Stop(); cancel(nil); stop() }
	resp, err := r.ask(inner, old)
	if err != nil {
		err = r.fail(ctx, d.reason(err))
		d.close()
		return nil, err
	}
	if resp.StatusCode == http.StatusNotModified {
		resp.Body.Close()
		d.close()
		return nil, nil
	}
	d.version = version{etag: resp.Header.Get("ETag"), modified: resp.Header.Get("Last-Modified")}
	d.print = sha256.Sum256(fmt.Appendf(nil, "%q %q", d.etag, d.modified))
	d.body = &bounded{r: resp.Body, left: most()}
	release := d.close
	d.close = func() { resp.Body.Close(); release() }
	return d, nil
}

// ask returns an answer of 200, or of 304 for an old version. It uses no http.Client, which quotes
// whole URLs in its errors and has its own rules of who gets credentials.
func (r *remote) ask(ctx context.Context, old version) (*http.Response, error) {
	req := (&http.Request{Method: http.MethodGet, Header: http.Header{}}).WithContext(ctx)
	req.Header.Set("User-Agent", "tickercast")
	if err := r.authorize(req); err != nil {
		return nil, err
	}
	if old.etag != "" {
		req.Header.Set("If-None-Match", old.etag)
	}
	if old.modified != "" {
		req.Header.Set("If-Modified-Since", old.modified)
	}
	at := r.url
	for range 1 + maxRedirects {
		req = req.Clone(ctx)
		req.URL = at
		resp, err := r.transport.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		switch code := resp.StatusCode; {
		case code == http.StatusOK,
			code == http.StatusNotModified && (old.etag != "" || old.modified != ""):
			return resp, nil
		case code > 300 && code < 309 && resp.Header.Get("Location") != "":
			resp.Body.Close()
			if at, err = follow(at, resp); err != nil {
				return nil, err
			}
		default:
			resp.Body.Close()
			return nil, fmt.Errorf("%d %s", code, http.StatusText(code))
		}
	}
	return nil, fmt.Errorf("more than %d redirects", maxRedirects)
}

// authorize adds the credentials. Those in the file can be replaced at any time.
func (r *remote) authorize(req *http.Request) error {
	if user := r.url.User; user != nil {
		password, _ := user.Password()
		req.SetBasicAuth(user.Username(), password)
	}
	if r.authFile == "" {
		return nil
	}
	data, err := file.Read(req.Context(), r.authFile, maxAuth)
	if err != nil {
		return err
	}
	value := strings.TrimSpace(string(data))
	if value == "" || strings.ContainsFunc(value, unicode.IsControl) {
		return fmt.Errorf("%s: want one line, the value of the Authorization header", r.authFile)
	}
	req.Header.Set("Authorization", value)
	return nil
}

// follow returns where a redirect leads.
func follow(at *url.URL, resp *http.Response) (*url.URL, error) {
	to, err := resp.Location()
	switch {
	case err != nil: // which may have a secret
		return nil, errors.New("redirects to what is no URL")
	case !strings.EqualFold(to.Host, at.Host) || to.Scheme != "https" && to.Scheme != at.Scheme:
		return nil, fmt.Errorf("redirects to another host or scheme, %q",
			to.Scheme+"://"+to.Host)
	}
	return to, nil
}
