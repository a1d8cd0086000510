package predict

import (
	"bufio"
	"compress/gzip"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"tickercast/predict/internal/limits"
)

// minGzip is the length from which answers are compressed. Below it, gzip costs more time than the
// answer does and saves little: a forecast has 0.2 to 5 kB.
const minGzip = 64 << 10

// A compressor bounds how many answers are compressed at once, since each takes a core.
type compressor struct {
	cores   chan struct{}
	writers sync.Pool // of *gzip.Writer
}

// gzipBytes is what a gzip.Writer takes, measured.
const gzipBytes = 1200 << 10

func newCompressor() *compressor {
	return &compressor{cores: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// compress returns body as gzip. held counts what it takes; an error is that of overload.
func (c *compressor) compress(body []byte, held *limits.Hold) ([]byte, error) {
	if err := grow(held, gzipBytes); err != nil {
		return nil, err
	}
	defer held.Shrink(gzipBytes)
	c.cores <- struct{}{}
	defer func() { <-c.cores }()
	out := heldBuffer{held: held}
	z, ok := c.writers.Get().(*gzip.Writer)
	if !ok {
		z, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the only error is of a wrong level
	}
	z.Reset(&out)
	_, err := z.Write(body)
	if err == nil {
		err = z.Close()
	}
	z.Reset(nil) // it must not keep the answer
	c.writers.Put(z)
	if err != nil {
		held.Shrink(cap(out.bytes))
		return nil, err
	}
	return out.bytes, nil
}

// A heldBuffer is a Writer into memory that held counts.
type heldBuffer struct {
	bytes []byte
	held  *limits.Hold
}

func (b *heldBuffer) Write(p []byte) (n int, err error) {
	if len(b.bytes)+len(p) > cap(b.bytes) {
		b.bytes, err = extend(b.bytes, max(len(p), cap(b.bytes), minGzip/4), b.held)
		if err != nil {
			return 0, err
		}
	}
	b.bytes = append(b.bytes, p...)
	return len(p), nil
}

// Send sends a complete answer that may be long, as gzip if it is and the client takes that. When
// there is no room for the compressed copy, the answer goes as it is.
func (s *Service) Send(w http.ResponseWriter, r *http.Request, contentType string, body []byte) {
	h := w.Header()
	const coding = "Accept-Encoding"
	if !slices.ContainsFunc(h["Vary"], func(v string) bool { return strings.Contains(v, coding) }) {
		vary(w, coding)
	}
	if gzip, plain := acceptedCodings(r.Header["Accept-Encoding"]); gzip &&
		(len(body) >= minGzip || !plain) {
		switch short, err := s.gzip.compress(body, s.hold(w)); {
		case err == nil:
			body = short
			h.Set("Content-Encoding", "gzip")
		case !plain:
			s.refuse(w, r, err)
			return
		}
	}
	h.Set("Content-Type", contentType)
	write(w, http.StatusOK, body)
}

// acceptedCodings reports whether an Accept-Encoding takes gzip, and likes it as well as no coding,
// and whether it takes no coding (RFC 9110, section 12.5.3).
func acceptedCodings(header []string) (gzip, plain bool) {
	if header == nil {
		return false, true
	}
	const absent = -1.0
	gzipped, identity, others := absent, absent, absent
	for item := range strings.SplitSeq(strings.Join(header, ","), ",") {
		name, params, _ := strings.Cut(item, ";")
		q := weight(params)
		switch name = strings.Trim(name, " \t"); {
		case strings.EqualFold(name, "gzip"), strings.EqualFold(name, "x-gzip"):
			gzipped = q
		case strings.EqualFold(name, "identity"):
			identity = q
		case name == "*":
			others = q
		}
	}
	if gzipped == absent {
		gzipped = others
	}
	plain = identity > 0 || identity == absent && others != 0
	return gzipped > 0 && gzipped >= identity, plain
}

// weight returns the quality value among the parameters of an item of a list: 1 without one, 0 if
// it is faulty.
func weight(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.Trim(p, " \t"), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		q, err := strconv.ParseFloat(value, 64)
		if err != nil || strings.Trim(value, "0123456789.") != "" || q > 1 {
			return 0
		}
		return q
	}
	return 1
}

// isGzipped reports whether the body of a request is gzip. Other codings are refused.
func isGzipped(r *http.Request) (bool, error) {
	coding := strings.ToLower(strings.Join(r.Header["Content-Encoding"], ","))
	switch coding = strings.Trim(coding, " \t"); coding {
	case "", "identity":
		return false, nil
	case "gzip", "x-gzip":
		return r.ContentLength != 0, nil
	}
	return false, &Error{Status: http.StatusUnsupportedMediaType, Codings: "gzip",
		Detail: "Unsupported Content-Encoding", Close: r.ContentLength < 0 || r.ContentLength > 16<<10}
}

// maxMembers bounds how many gzip streams a body may be put together from, since one without
// contents has 20 bytes and still takes a microsecond. Those of the usual tools have 64 kB.
const maxMembers = 1000

// inflaterBytes is what an inflater takes: windows, tables and a buffer.
const inflaterBytes = 48 << 10

// An inflater decompresses the body of a request, up to a limit.
type inflater struct {
	source  source
	buffer  *bufio.Reader
	gzip    *gzip.Reader
	open    bool // within a member
	members int
	limit   int64
	left    int64
}

// A source remembers the error of a Reader.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (n int, err error) {
	n, err = s.Reader.Read(p)
	s.err = err
	return n, err
}

func newInflater(body io.Reader, limit int64) *inflater {
	f := &inflater{source: source{Reader: body}, gzip: new(gzip.Reader), limit: limit, left: limit}
	f.buffer = bufio.NewReader(&f.source)
	return f
}

func (f *inflater) Read(p []byte) (n int, err error) {
	for {
		if !f.open {
			if f.members++; f.members > maxMembers {
				return 0, errBadGzip()
			}
			err := f.gzip.Reset(f.buffer)
			if err == io.EOF && f.source.err == io.EOF {
				return 0, io.EOF
			}
			if err != nil {
				return 0, f.fault()
			}
			f.gzip.Multistream(false)
			f.open = true
		}
		n, err = f.gzip.Read(p)
		if f.left -= int64(n); f.left < 0 {
			return 0, &http.MaxBytesError{Limit: f.limit}
		}
		if err == io.EOF {
			f.open, err = false, nil
		}
		if err != nil {
			return n, f.fault()
		}
		if n > 0 {
			return n, nil
		}
	}
}

// fault is the error of a body that cannot be decompressed, or that did not arrive.
func (f *inflater) fault() error {
	if f.source.err != nil && f.source.err != io.EOF {
		return f.source.err
	}
	return errBadGzip()
}

func errBadGzip() *Error {
	return &Error{Status: http.StatusBadRequest, Detail: "The body is not valid gzip"}
}
