package server_test

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"tickercast/predict/server"
)

// An http2Peer is a client that speaks HTTP/2 in frames of the test's choice, in a bubble. It
// acknowledges settings and keeps to the windows.
type http2Peer struct {
	t       *testing.T
	conn    net.Conn
	writing sync.Mutex

	mu      sync.Mutex
	window  int // of the connection, for what is sent
	streams map[uint32]*http2Stream
	goAways []uint32 // the last streams that they named
	pings   [][]byte
	mute    bool // do not answer pings
	ended   bool // the server has closed the connection
}

// An http2Stream is what came on a stream.
type http2Stream struct {
	began  bool
	body   string
	ended  bool
	resets []uint32 // error codes
}

// Frames and flags.
const (
	frameData, frameHeaders, frameReset, frameSettings, framePing, frameGoAway, frameWindow = 0, 1,
		3, 4, 6, 7, 8
	endStream, endHeaders, ack = 1, 4, 1
)

// http2 connects over TLS if config is not nil.
func (p port) http2(t *testing.T, config *tls.Config) *http2Peer {
	t.Helper()
	c, err := p.network.dial(p.addr)
	require.NoError(t, err)
	if config != nil {
		config = withName(config)
		config.NextProtos = []string{"h2"}
		c = tls.Client(c, config)
	}
	t.Cleanup(func() { c.Close() })
	h := &http2Peer{t: t, conn: c, window: 65535, streams: map[uint32]*http2Stream{}}
	_, err = io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	require.NoError(t, err)
	h.frame(frameSettings, 0, 0, nil)
	go h.readAll()
	synctest.Wait()
	return h
}

func (h *http2Peer) frame(kind, flags byte, stream uint32, payload []byte) {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	b = binary.BigEndian.AppendUint32(append(b, flags), stream)
	h.writing.Lock()
	defer h.writing.Unlock()
	h.conn.Write(append(b, payload...)) // what fails shows in the answers
}

// ask begins a request. Its headers are names and values in turn.
func (h *http2Peer) ask(stream uint32, flags byte, method, path string, headers ...string) {
	var block []byte
	for i, s := range append([]string{":method", method, ":path", path, ":scheme", "http",
		":authority", "192.0.2.1"}, headers...) {
		if i%2 == 0 {
			block = append(block, 0) // a literal, not to be indexed
		}
		block = appendHPACKString(block, s)
	}
	for kind := byte(frameHeaders); ; kind = 9 { // CONTINUATION
		part := block[:min(len(block), 16<<10)]
		if block = block[len(part):]; len(block) == 0 {
			h.frame(kind, flags|endHeaders, stream, part)
			return
		}
		h.frame(kind, flags, stream, part)
	}
}

// post begins a POST /predict with a body of a length.
func (h *http2Peer) post(stream uint32, length string) {
	h.ask(stream, 0, "POST", "/predict", "content-type", "application/json",
		"content-length", length)
}

func appendHPACKString(b []byte, s string) []byte {
	n := len(s)
	if n < 127 {
		return append(append(b, byte(n)), s...)
	}
	b = append(b, 127)
	for n -= 127; n >= 128; n >>= 7 {
		b = append(b, byte(n)|128)
	}
	return append(append(b, byte(n)), s...)
}

// data sends a part of a body when the window allows it.
func (h *http2Peer) data(stream uint32, flags byte, body string) {
	h.t.Helper()
	for first := true; first || len(body) > 0; first = false {
		part := body[:min(len(body), 16<<10)]
		body = body[len(part):]
		synctest.Wait()
		h.mu.Lock()
		h.window -= len(part)
		left := h.window
		h.mu.Unlock()
		require.GreaterOrEqual(h.t, left, 0, "the window was not given back")
		if len(body) == 0 {
			h.frame(frameData, flags, stream, []byte(part))
		} else {
			h.frame(frameData, 0, stream, []byte(part))
		}
	}
	synctest.Wait()
}

func (h *http2Peer) reset(stream uint32) {
	h.frame(frameReset, 0, stream, []byte{0, 0, 0, 8}) // CANCEL
	synctest.Wait()
}

// readAll takes what comes until the connection ends.
func (h *http2Peer) readAll() {
	var head [9]byte
	for {
		_, err := io.ReadFull(h.conn, head[:])
		payload := make([]byte, binary.BigEndian.Uint32(head[:])>>8)
		if err == nil {
			_, err = io.ReadFull(h.conn, payload)
		}
		h.mu.Lock()
		if err != nil {
			h.ended = true
			h.mu.Unlock()
			return
		}
		reply := h.take(head[3], head[4], binary.BigEndian.Uint32(head[5:]), payload)
		h.mu.Unlock()
		if reply {
			if head[3] == frameSettings {
				payload = nil
			}
			h.frame(head[3], ack, 0, payload)
		}
	}
}

// take notes a frame and reports whether it is to be acknowledged.
func (h *http2Peer) take(kind, flags byte, stream uint32, payload []byte) bool {
	s := h.streams[stream]
	if s == nil {
		s = new(http2Stream)
		h.streams[stream] = s
	}
	switch kind {
	case frameHeaders:
		s.began = true
	case frameData:
		s.body += string(payload)
	case frameReset:
		s.resets = append(s.resets, binary.BigEndian.Uint32(payload))
	case frameSettings:
		return flags&ack == 0
	case framePing:
		h.pings = append(h.pings, payload)
		return flags&ack == 0 && !h.mute
	case frameGoAway:
		h.goAways = append(h.goAways, binary.BigEndian.Uint32(payload))
	case frameWindow:
		if stream == 0 {
			h.window += int(binary.BigEndian.Uint32(payload))
		}
	}
	if kind <= frameHeaders && flags&endStream != 0 {
		s.ended = true
	}
	return false
}

// on returns what has come on a stream.
func (h *http2Peer) on(stream uint32) http2Stream {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.streams[stream]; s != nil {
		return *s
	}
	return http2Stream{}
}

// farewell returns the last streams of the GOAWAYs that have come, and whether the connection has
// ended.
func (h *http2Peer) farewell() (goAways []uint32, ended bool) {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.goAways, h.ended
}

// requireForecast wants a complete answer on a stream.
func (h *http2Peer) requireForecast(stream uint32) {
	h.t.Helper()
	s := h.on(stream)
	require.Contains(h.t, s.body, `"ticker":"AAPL"`)
	require.True(h.t, s.ended)
	require.Empty(h.t, s.resets)
}

// overHTTP2 runs a test with a server over TLS and with one without, each in a bubble.
func overHTTP2(t *testing.T, change func(*server.Config),
	test func(t *testing.T, r *running, connect func() *http2Peer)) {
	t.Run("TLS", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
			chain, key := newCertificate(t, "x")
			replaceFile(t, certFile, chain)
			replaceFile(t, keyFile, key)
			r := start(t, inMemory(), func(c *server.Config) {
				c.TLSCert, c.TLSKey = certFile, keyFile
				change(c)
			})
			test(t, r, func() *http2Peer { return r.public.http2(t, trusting(chain)) })
		})
	})
	t.Run("no TLS", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := start(t, inMemory(), func(c *server.Config) {
				c.H2C = true
				change(c)
			})
			test(t, r, func() *http2Peer { return r.public.http2(t, nil) })
		})
	})
}
