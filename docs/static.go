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

// static serves a file from memory, with an ETag made from its bytes. It ignores Range, unlike
// http.ServeContent, so the API has no 206, 412 and 416 to document. Cache-Control is no-cache
// unless it is set before.
type static struct {
	contentType string
	plain       variant
	gzip        func() variant // compressed at the first request that accepts it
}

type variant struct {
	body []byte
	etag string // a strong ETag differs between encodings
}

func newStatic(contentType string, body []byte) *static {
	sum := sha256.Sum256(body)
	tag := hex.EncodeToString(sum[:12])
	return &static{
		contentType: contentType,
		plain:       variant{body, `"` + tag + `"`},
		gzip: sync.OnceValue(func() variant {
			var b bytes.Buffer
			z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is one of gzip's
			z.Write(body)                                         // a bytes.Buffer never fails
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
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-cache") // keep a copy, but ask for a newer one each time
	}
	h.Set("ETag", v.etag)
	h.Add("Vary", "Accept-Encoding") // CORS may have added Origin
	h.Set("X-Content-Type-Options", "nosniff")
	if matches(r.Header.Values("If-None-Match"), v.etag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", s.contentType)
	h.Set("Content-Length", strconv.Itoa(len(v.body)))
	w.Write(v.body) // net/http sends no body for HEAD
}

// matches reports whether an If-None-Match header names etag, by the weak comparison of RFC 9110
// section 13.1.2. Splitting at commas is safe because the tags of this server contain none.
func matches(header []string, etag string) bool {
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
