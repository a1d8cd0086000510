package load

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestConfigRefused(t *testing.T) {
	ok := Config{Addr: "127.0.0.1:1", Requests: constant}
	for want, edit := range map[string]func(*Config){
		"not a loopback address": func(c *Config) { c.Addr = "192.0.2.1:80" },
		"example.com":            func(c *Config) { c.Addr = "example.com:80" },
		"missing port":           func(c *Config) { c.Addr = "127.0.0.1" },
		"not set":                func(c *Config) { c.Requests = nil },
		"connections":            func(c *Config) { c.Conns = -1 },
		"a rate of":              func(c *Config) { c.Rate = -1 },
		"negative":               func(c *Config) { c.Duration = -1 },
		"connection refused":     func(c *Config) {},
	} {
		cfg := ok
		edit(&cfg)
		if _, err := Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
	for _, addr := range []string{"localhost:80", "127.0.0.1:80", "127.8.8.8:80", "[::1]:80"} {
		if err := checkLoopback(addr); err != nil {
			t.Errorf("checkLoopback(%s) = %v", addr, err)
		}
	}
}

func TestNewRequest(t *testing.T) {
	b := NewRequest("POST", "/predict", "127.0.0.1:8080", []byte(`{"a":1}`))
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(b))))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(r.Body)
	if r.Method != "POST" || r.URL.Path != "/predict" || r.Host != "127.0.0.1:8080" ||
		string(body) != `{"a":1}` || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("reads as %s %s, host %s, body %q", r.Method, r.URL, r.Host, body)
	}
}
