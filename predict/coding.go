package predict

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
)

// minGzip is the length from which answers are compressed. Below it, gzip costs more time than the
// answer does and saves little: a forecast has 0.2 to 5 kB.
const minGzip = 64 << 10

// A compressor bounds how many answers are compressed at once, since each takes a core and 800 kB.
type compressor chan *gzip.Writer

func newCompressor() compressor {
	c := make(compressor, runtime.GOMAXPROCS(0))
	for range cap(c) {
		c <- nil // made when it is needed
	}
	return c
}

// compress returns body as gzip.
func (c compressor) compress(body []byte) []byte {
	out := bytes.NewBuffer(make([]byte, 0, len(body)/4))
	z := <-c
	if z == nil {
		z, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the only error is of a wrong level
	}
	z.Reset(out)
	z.Write(body) // a bytes.Buffer never fails
	z.Close()
	c <- z
	return out.Bytes()
}

// Send sends a complete answer that may be long, as gzip if it is and the client takes that.
func (s *Service) Send(w http.ResponseWriter, r *http.Request, contentType string, body []byte) {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding") // others may have added more
	gzip, plain := acceptedCodings(r.Header["Accept-Encoding"])
	if gzip && (len(body) >= minGzip || !plain) {
		body = s.compressor.compress(body)
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}

// acceptedCodings reports whether an Accept-Encoding takes gzip, and likes it as well as no coding,
// and whether it takes no coding (RFC 9110, section 12.5.3).
func acceptedCodings(header []string) (gzip, plain bool) {
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
