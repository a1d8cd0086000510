package fastlane_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tickercast/predict/fastlane"
	"tickercast/predict/internal/memnet"
)

// testCertificate is one that no one checks.
var testCertificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1),
		NotAfter: time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

func serverTLS() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{testCertificate()},
		NextProtos: []string{"h2", "http/1.1"}, DynamicRecordSizingDisabled: true}
}

func clientTLS(protocols ...string) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, NextProtos: protocols}
}

// TestSameOverTLS compares the lane with net/http over TLS, of both versions.
func TestSameOverTLS(t *testing.T) {
	versions, all := []uint16{tls.VersionTLS13, tls.VersionTLS12}, seeds
	if testing.Short() {
		versions, all = versions[:1], nil
		for i := 0; i < len(seeds); i += 4 {
			all = append(all, seeds[i])
		}
	}
	for _, version := range versions {
		exchange := func(ln *memnet.Listener, input string) string {
			c, err := ln.Dial(nil)
			if err != nil {
				t.Fatal(err)
			}
			config := clientTLS()
			config.MaxVersion = version
			secure := tls.Client(c, config)
			defer secure.Close()
			if err := secure.Handshake(); err != nil {
				t.Fatal(err)
			}
			go func() {
				// A record may hold several requests, or a part of one.
				for part := range strings.SplitAfterSeq(input, "Host") {
					if _, err := io.WriteString(secure, part); err != nil {
						return
					}
				}
				secure.CloseWrite()
			}()
			c.SetReadDeadline(time.Now().Add(time.Hour))
			out, err := io.ReadAll(secure)
			if err != nil {
				t.Errorf("%q: %v", input, err)
			}
			return string(dates.ReplaceAll(out, []byte("Date: now\r")))
		}
		var outputs [2][]string
		for i, table := range [][]fastlane.Route{routes(answer), nil} {
			synctest.Test(t, func(t *testing.T) {
				ln := memnet.Listen()
				_, stop := start(t, fastlane.Config{Listener: ln, TLS: serverTLS(), Routes: table,
					Server: newServer(handler())})
				for _, s := range all {
					outputs[i] = append(outputs[i], exchange(ln, s))
				}
				stop()
				time.Sleep(time.Second)
			})
		}
		for i, s := range all {
			if got, want := outputs[0][i], outputs[1][i]; got != want {
				t.Errorf("%q:\nwith the lane    %q\nwithout the lane %q", s, got, want)
			}
		}
	}
}

// countRecords is a client's connection that counts the records which it gets.
type countRecords struct {
	net.Conn
	rest, records int // bytes of a record that are still to come
	head          []byte
}

func (c *countRecords) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	for _, x := range b[:n] {
		if c.rest > 0 {
			c.rest--
			continue
		}
		if c.head = append(c.head, x); len(c.head) == 5 {
			c.rest, c.head = int(c.head[3])<<8|int(c.head[4]), nil
			c.records++
		}
	}
	return n, err
}

// TestTLS checks what connections over TLS become, over sockets and in memory: those of HTTP/1.1
// stay in the lane, sessions are resumed, and an answer is one record.
func TestTLS(t *testing.T) {
	for name, listen := range map[string]func() net.Listener{
		"raw":      func() net.Listener { return listenTCP(t) },
		"portable": func() net.Listener { return portable{listenTCP(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			ln := listen()
			l := serve(t, fastlane.Config{Listener: ln, TLS: serverTLS(), Routes: routes(answer)})
			config := clientTLS("http/1.1")
			config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			for i := range 2 {
				nc, err := net.Dial("tcp", ln.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				count := &countRecords{Conn: nc}
				c := tls.Client(count, config)
				r := bufio.NewReader(c)
				for j := range 40 {
					before := count.records
					io.WriteString(c, get("/item/big", ""))
					for _, want := range []int64{1000, 10} {
						resp, err := http.ReadResponse(r, nil)
						if err != nil || resp.StatusCode != 200 || resp.ContentLength < want {
							t.Fatalf("request %d: got %+v, %v", j, resp, err)
						}
						io.Copy(io.Discard, resp.Body)
					}
					if got := count.records - before; j > 0 && got != 1 {
						t.Errorf("request %d: two answers came in %d records, want 1", j, got)
					}
				}
				if got := c.ConnectionState().DidResume; got != (i > 0) {
					t.Errorf("connection %d: resumed %v", i, got)
				}
				c.Close()
			}
			if got := l.Stats().HandedOver; got != 0 {
				t.Errorf("%d connections handed over, want none", got)
			}
		})
	}
}

// TestTLSHandedOver checks what net/http gets: HTTP/2, requests that are not plain, and clients
// without TLS.
func TestTLSHandedOver(t *testing.T) {
	ln := listenTCP(t)
	srv := newPatientServer(handler())
	srv.TLSConfig = serverTLS()
	l := serve(t, fastlane.Config{Listener: ln, TLS: srv.TLSConfig, Server: srv,
		Routes: routes(answer)})
	for i, h2 := range []bool{false, true} {
		protocols := new(http.Protocols)
		protocols.SetHTTP1(!h2)
		protocols.SetHTTP2(h2)
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: clientTLS(),
			Protocols: protocols}}
		for _, path := range []string{"/item/a", "/item/a", "/nowhere", "/item/a"} {
			resp, err := client.Get("https://" + ln.Addr().String() + path)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.ProtoMajor != 1+i || (resp.StatusCode == 200) != (path != "/nowhere") {
				t.Errorf("%s: got %+v", path, resp)
			}
		}
		client.CloseIdleConnections()
	}
	c := dialTCP(t, l)
	io.WriteString(c, get("/item/a", ""))
	if out, _ := io.ReadAll(c); !strings.HasPrefix(string(out), "HTTP/1.0 400 Bad Request\r\n") {
		t.Errorf("without TLS: got %q", out)
	}
	if got := l.Stats(); got.HandedOver != 3 {
		t.Errorf("got %+v, want 3 handed over", got)
	}
}

// TestTLSTimeouts: a handshake has as long as a head, with the lane and without.
func TestTLSTimeouts(t *testing.T) {
	bothWays(t, fastlane.Config{TLS: serverTLS()},
		func(t *testing.T, ln *memnet.Listener, l *fastlane.Lane) {
			for name, sent := range map[string]string{"silent": "", "half a record": "\x16\x03\x01"} {
				c := dial(t, ln)
				begin := time.Now()
				io.WriteString(c, sent)
				if took := c.ended().Sub(begin); took < 3*time.Second || took > 4*time.Second {
					t.Errorf("%s: closed after %v, want 3 s", name, took)
				}
			}
			c := dial(t, ln)
			secure := tls.Client(c, clientTLS())
			if err := secure.Handshake(); err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			if _, err := secure.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("no request: got %v, want EOF", err)
			}
			if took := time.Since(begin); took < 3*time.Second || took > 4*time.Second {
				t.Errorf("no request: closed after %v, want 3 s", took)
			}
			secure.Close()
		})
}

// TestTLSShutdown: a handshake that has begun is ended and its request answered, and a connection
// on which nothing comes does not hold up the end for long.
func TestTLSShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := memnet.Listen()
		srv := newServer(handler())
		l := fastlane.New(fastlane.Config{Listener: ln, TLS: serverTLS(), Routes: routes(answer),
			Server: srv})
		go srv.Serve(l)
		silent, begun := dial(t, ln), dial(t, ln)
		hello := &slowConn{Conn: begun.Conn, pause: 2 * time.Second}
		secure := tls.Client(hello, clientTLS())
		shaken := make(chan error, 1)
		go func() { shaken <- secure.Handshake() }()
		time.Sleep(time.Millisecond)
		began := time.Now()
		ended := make(chan error, 1)
		go func() { ended <- l.Shutdown(context.Background()) }()
		if took := silent.ended().Sub(began); took > 1100*time.Millisecond {
			t.Errorf("a silent connection was closed after %v", took)
		}
		if err := <-shaken; err != nil { // a mutex would stop the time
			t.Fatal(err)
		}
		io.WriteString(secure, post(apple))
		resp, err := http.ReadResponse(bufio.NewReader(secure), nil)
		if err != nil || resp.StatusCode != 200 || !resp.Close {
			t.Errorf("after the handshake: got %+v, %v", resp, err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		secure.Close()
		srv.Close()
	})
}

// slowConn sends the second half of its first write after a pause.
type slowConn struct {
	net.Conn
	pause time.Duration
}

func (c *slowConn) Write(b []byte) (int, error) {
	if c.pause > 0 {
		n := len(b) / 2
		if n, err := c.Conn.Write(b[:n]); err != nil {
			return n, err
		}
		time.Sleep(c.pause)
		c.pause = 0
		m, err := c.Conn.Write(b[n:])
		return n + m, err
	}
	return c.Conn.Write(b)
}
