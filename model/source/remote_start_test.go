package source_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tickercast/model/source"
)

// TestURLWithCredentials replaces a token in its file, and follows a redirect on the host.
func TestURLWithCredentials(t *testing.T) {
	auth := write(t, filepath.Join(t.TempDir(), "auth"), []byte("Bearer one\n"))
	var want atomic.Value
	want.Store("Bearer one")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != want.Load():
			w.WriteHeader(401)
		case r.URL.Path == "/prices.csv":
			http.Redirect(w, r, "/moved.csv", http.StatusFound)
		default:
			w.Write(pricesCSV(100, 60))
		}
	}))
	defer srv.Close()
	c := source.Config{Prices: srv.URL + "/prices.csv", AuthFile: auth}
	l := loaderOf(c)
	mustLoad(t, l)
	want.Store("Bearer two")
	if _, _, err := l.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("got error %v for an old token", err)
	}
	write(t, auth, []byte("Bearer two"))
	mustLoad(t, l)
	mustLook(t, l)
	if _, err := c.Panel(t.Context()); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "Bearer a\nBearer b", "Bearer a\x00"} {
		write(t, auth, []byte(bad))
		_, _, err := l.Load(t.Context())
		if err == nil || !strings.Contains(err.Error(), auth+": want one line") ||
			bad != "" && strings.Contains(err.Error(), "Bearer") {
			t.Errorf("%q: got error %v", bad, err)
		}
	}
	c.Prices = auth
	if _, err := c.Panel(t.Context()); err == nil || !strings.Contains(err.Error(), "is for") {
		t.Errorf("got error %v for a file with credentials", err)
	}
	want.Store("Basic YW5uYTpzM2NyZXQ=")
	mustLoad(t, loaderOf(source.Config{
		Prices: strings.Replace(srv.URL, "//", "//anna:s3cret@", 1) + "/prices.csv"}))
}

// TestURLAtStart has a server answer only after a while, and another one never.
func TestURLAtStart(t *testing.T) {
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(503)
			return
		}
		w.Write(pricesCSV(100, 60))
	}))
	defer srv.Close()
	mustLoad(t, loaderOf(source.Config{Prices: srv.URL, Patience: time.Minute}))
	asked.Store(-1000)
	_, _, err := source.NewLoader(source.Config{Prices: srv.URL,
		Patience: 300 * time.Millisecond}).Load(t.Context())
	if err == nil || !strings.HasSuffix(err.Error(), "503 Service Unavailable (tried for 300ms)") {
		t.Errorf("got error %v", err)
	}
	if _, _, err := (source.Config{Prices: srv.URL}).Open(t.Context()); err == nil ||
		!strings.HasSuffix(err.Error(), "503 Service Unavailable") {
		t.Errorf("got error %v", err)
	}
	for _, bad := range []string{"http://", "https://anna:s3cr%zzet@host/", "HTTP://[::1/"} {
		_, _, err := source.Config{Prices: bad}.Open(t.Context())
		if err == nil || err.Error() != "-prices has an http or https URL that cannot be parsed" {
			t.Errorf("%s: got error %v", bad, err)
		}
	}
}
