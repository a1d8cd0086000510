package docs

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// static is a file in memory that answers GET and HEAD, with an ETag made from its bytes. Range
// requests get the whole file, which is why this is not http.ServeContent: the files are small, and
// 206, 412 and 416 would be three more answers to document.
type static struct {
	contentType string
	plain       variant
	gzip        func() variant // made at the first request that takes it: starting stays free of it
}

type variant struct {
	body []byte
	etag string // strong, so each encoding has its own
}

func newStatic(contentType string, body []byte) *static {
	sum := sha256.Sum256(body)
	tag := hex.EncodeToString(sum[:12])
	return &static{
		contentType: contentType,
		plain:       variant{body, `"` + tag + `"`},
		gzip: sync.OnceValue(func() variant {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			z.Write(body) // a bytes.Buffer never fails
			z.Close()
			return variant{b.Bytes(), `"` + tag + `-gzip"`}
		}),
	}
}

func (s *static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	v := s.plain
	if acceptsGzip(r.Header.Values("Accept-Encoding")) {
		v = s.gzip()
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Cache-Control", "no-cache") // keep it, and ask each time whether it still holds
	h.Set("ETag", v.etag)
	h.Add("Vary", "Accept-Encoding") // there may be others: of origins
	h.Set("X-Content-Type-Options", "nosniff")
	if holds(r.Header.Values("If-None-Match"), v.etag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", s.contentType)
	h.Set("Content-Length", strconv.Itoa(len(v.body)))
	w.Write(v.body) // net/http drops it for HEAD; a client that went away is no fault of ours
}

// holds reports whether an If-None-Match header names etag: by weak comparison, as RFC 9110 section
// 13.1.2 says. Splitting at commas is safe: a tag of ours has none, and a quote cannot be inside a
// tag.
func holds(header []string, etag string) bool {
	for _, line := range header {
		for tag := range strings.SplitSeq(line, ",") {
			tag = strings.Trim(tag, " \t")
			if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
				return true
			}
		}
	}
	return false
}

// acceptsGzip reports whether an Accept-Encoding header names gzip with a weight above zero.
func acceptsGzip(header []string) bool {
	for _, line := range header {
		for item := range strings.SplitSeq(line, ",") {
			coding, params, _ := strings.Cut(item, ";")
			if !strings.EqualFold(strings.Trim(coding, " \t"), "gzip") {
				continue
			}
			name, value, _ := strings.Cut(strings.Trim(params, " \t"), "=")
			if strings.EqualFold(strings.Trim(name, " \t"), "q") {
				q, err := strconv.ParseFloat(strings.Trim(value, " \t"), 64)
				return err == nil && q > 0
			}
			return true
		}
	}
	return false
}
