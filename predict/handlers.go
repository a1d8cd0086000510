package predict

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"

	"tickercast/predict/internal/limits"
)

// maxUnusual is the length up to which a body in an unusual form is read without a slot. In the
// usual form a body may have any length: the longest history costs little more than its refusal.
const maxUnusual = 1 << 10

// ServePredict is POST /predict.
func (s *Service) ServePredict(w http.ResponseWriter, r *http.Request) {
	var answer []byte
	strict := isStrict(w, r)
	if strict {
		vary(w, "Prefer") // no cache keeps an answer without it: it says nothing of freshness
	}
	err := s.serve(w, r, call{bodies: &s.singles, json: true},
		func(ctx context.Context, body []byte, held *limits.Hold) error {
			var req Request
			if n, ok := decodeFast(body, &req); !ok || !onlyBlanks(body[n:]) {
				if s.cfg.Slot != nil && len(body) > maxUnusual {
					release, err := s.cfg.Slot(ctx, len(body))
					if err != nil {
						return err
					}
					defer release()
				}
				var err error
				if req, err = decodeFull(body, strict, held); err != nil {
					return err
				}
			}
			st, err := s.current()
			if err != nil {
				return err
			}
			var from origin
			if answer, from, err = s.answerFrom(ctx, st, &req); err == nil {
				s.answered(w, st, &req, from)
			}
			return err
		})
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// ServeBatch is POST /predict/batch: {"requests":[...]}, all answered from
// the same data, in order. An item's answer is {"predictions":...} with what POST /predict answers,
// or {"error":{"status":...,"detail":...}}. They come as {"results":[...]}, one a line to a client
// that accepts application/x-ndjson, or as CSV.
func (s *Service) ServeBatch(w http.ResponseWriter, r *http.Request) {
	vary(w, batchVary)
	q := newQuery(r)
	b := batch{Service: s, format: q.format(acceptOf(r), true), strict: isStrict(w, r),
		charge: s.charge(w)}
	if r.ProtoMajor == 1 {
		defer b.keep() // HTTP/2 may still be reading what a client has given up
	}
	if b.strict {
		q.extra("format")
	}
	err := s.serve(w, r, call{bodies: &s.batches, json: true, costly: true, many: true},
		func(ctx context.Context, body []byte, held *limits.Hold) error {
			if len(q.issues) > 0 {
				return q.err()
			}
			return b.run(ctx, body, held)
		})
	switch {
	case err != nil:
		s.refuse(w, r, err)
	default:
		s.answeredMany(w, b.state)
		kinds := [...]string{"application/json", linesType, csvType + "; charset=utf-8"}
		s.Send(w, r, kinds[b.format], b.out)
	}
}

// batchVary names the headers that the answer of ServeBatch depends on.
const batchVary = "Accept, Accept-Encoding, Prefer"

// acceptOf returns the header Accept.
func acceptOf(r *http.Request) []byte { return []byte(strings.Join(r.Header["Accept"], ",")) }

// charge is Config.Charge for one request; nil charges nothing.
func (s *Service) charge(w http.ResponseWriter) func(items int) error {
	if s.cfg.Charge == nil {
		return nil
	}
	return func(items int) error { return s.cfg.Charge(w, items) }
}

// wantsNDJSON reports whether Accept names application/x-ndjson.
func wantsNDJSON(accept []byte) bool {
	for more := len(accept) > 0; more; {
		var t []byte
		t, accept, more = bytes.Cut(accept, []byte(","))
		t, _, _ = bytes.Cut(t, []byte(";"))
		if bytes.EqualFold(bytes.TrimSpace(t), []byte(linesType)) {
			return true
		}
	}
	return false
}

// ServeTicker is GET /predict/{ticker}: the same answer in a form that HTTP caches keep. It is
// fresh for as long as the cache here keeps it: max-age is the whole of that time, from which
// caches subtract Age.
func (s *Service) ServeTicker(w http.ResponseWriter, r *http.Request) {
	vary(w, tickerVary)
	q := newQuery(r)
	req := q.request()
	format := q.format(acceptOf(r), false)
	if isStrict(w, r) {
		q.extra("days_ahead", "confidence_interval", "as_of", "format")
	}
	if format == formatCSV {
		s.serveCSV(w, r, q, &req)
		return
	}
	p := Plain{IfNoneMatch: []byte(strings.Join(r.Header["If-None-Match"], ","))}
	if err := s.answerGet(&p, q, &req); err != nil {
		s.refuse(w, r, err)
		return
	}
	h := w.Header()
	h.Set("ETag", string(p.ETag))
	h.Set("Cache-Control", string(p.CacheControl))
	h.Set("Age", string(p.Age))
	h.Set("Cache-Status", string(p.CacheStatus))
	if made, ok := p.Record(); ok && s.cfg.Answered != nil {
		s.cfg.Answered(w, made)
	}
	if p.NotModified {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	writeJSON(w, http.StatusOK, p.Answer)
}

// tickerVary names the headers that the answer of ServeTicker depends on.
const tickerVary = "Accept, Prefer"

// PlainTicker is ServeTicker for plain requests, right or wrong.
func (s *Service) PlainTicker() PlainRoute {
	return PlainRoute{Decode: decodeTicker, Answer: s.answerTicker, Cacheable: true,
		Vary: tickerVary}
}

// decodeTicker leaves CSV and wrong formats to ServeTicker.
func decodeTicker(p *Plain) bool {
	p.state, p.many = nil, false
	q := query{raw: p.Query}
	_, given := q.value("format")
	return !given && acceptedFormat(p.Accept, false) == formatJSON
}

func always(p *Plain) bool {
	p.state, p.many = nil, false
	return true
}

func (s *Service) answerTicker(p *Plain) error {
	q := query{path: p.Ticker, raw: p.Query}
	p.request = q.request()
	return s.answerGet(p, &q, &p.request)
}

// request reads the parameters of ServeTicker.
func (q *query) request() Request {
	r := Request{Ticker: q.ticker(),
		Days:       int(q.integer("days_ahead", DefaultDays, MinDays, MaxDays)),
		Confidence: q.number("confidence_interval", DefaultConfidence, confidenceRule)}
	r.AsOf, r.HasAsOf = q.date("as_of")
	return r
}

// answerGet answers a request that q has read.
func (s *Service) answerGet(p *Plain, q *query, r *Request) error {
	st, t, err := s.find(q, r.Ticker)
	if err != nil {
		return err
	}
	k, err := st.keyOf(t, r)
	if err != nil {
		return q.asOfFault(err)
	}
	item, err := s.cached(context.Background(), st, k)
	if err != nil {
		return q.asOfFault(err)
	}
	left, age := int64(item.Left.Seconds()), int64(item.Age.Seconds())
	b := append(p.buffer[:0], "public, max-age="...)
	b = strconv.AppendInt(b, int64(s.cfg.TTL.Seconds()), 10)
	control := len(b)
	b = strconv.AppendInt(b, age, 10)
	ages := len(b)
	b = appendCacheStatus(b, item.Hit, left)
	p.buffer, p.ETag, p.CacheControl = b, item.Value.tag(), b[:control]
	p.Age, p.CacheStatus = b[control:ages], b[ages:]
	p.Answer, p.NotModified = item.Value.answer(), matchesTag(p.IfNoneMatch, p.ETag)
	p.state, p.made, p.many = st, origin{k, lookupOf(item.Hit)}, false
	if p.NotModified {
		p.Answer = nil
	}
	return nil
}

// appendCacheStatus says in the words of RFC 9211 what the cache here had, and for how many seconds
// more.
func appendCacheStatus(dst []byte, hit bool, left int64) []byte {
	switch {
	case hit:
		dst = append(dst, "tickercast; hit; ttl="...)
	case left > 0:
		dst = append(dst, "tickercast; fwd=miss; stored; ttl="...)
	default:
		return append(dst, "tickercast; fwd=miss"...)
	}
	return strconv.AppendInt(dst, left, 10)
}

// matchesTag reports whether If-None-Match holds the tag or a star. Weak tags match: RFC 9110 wants
// the weak comparison here.
func matchesTag(fields, tag []byte) bool {
	for more := len(fields) > 0; more; {
		var t []byte
		t, fields, more = bytes.Cut(fields, []byte(","))
		t = bytes.TrimPrefix(bytes.TrimSpace(t), []byte("W/"))
		if bytes.Equal(t, tag) || string(t) == "*" {
			return true
		}
	}
	return false
}
