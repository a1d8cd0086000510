package predict

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
	"tickercast/predict/pyjson"
)

// maxFastBody is ten times as long as a body that asks for one forecast of a listed ticker. A
// longer one has a history.
const maxFastBody = 1 << 10

// ServePredict is POST /predict.
func (s *Service) ServePredict(w http.ResponseWriter, r *http.Request) {
	long := r.ContentLength < 0 || r.ContentLength > maxFastBody
	var answer []byte
	err := s.serve(w, r, call{bodies: &s.singles, json: true, costly: long},
		func(ctx context.Context, body []byte) error {
			req, err := Decode(body)
			if err == nil {
				answer, err = s.Answer(ctx, &req)
			}
			return err
		})
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// ServeBatch is POST /predict/batch: {"requests":[...]} of up to 1000 requests, all answered from
// the same data, in order. An item's answer is {"predictions":...} with what POST /predict answers,
// or {"error":{"status":...,"detail":...}}. They come as {"results":[...]}, or one a line to a
// client that accepts application/x-ndjson.
func (s *Service) ServeBatch(w http.ResponseWriter, r *http.Request) {
	out := s.batches.get()
	defer s.batches.put(out)
	held := reservation{memLimiter: &s.answers}
	defer held.release()
	b := batch{Service: s, ndjson: wantsNDJSON([]byte(strings.Join(r.Header["Accept"], ","))), out: *out, held: &held}
	err := s.serve(w, r, call{bodies: &s.batches, json: true, costly: true, many: true}, b.run)
	*out = b.out
	switch {
	case err != nil:
		s.refuse(w, r, err)
	case b.ndjson:
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.Header().Set("Content-Length", strconv.Itoa(len(b.out)))
		w.Write(b.out)
	default:
		writeJSON(w, http.StatusOK, b.out)
	}
}

// wantsNDJSON reports whether Accept names application/x-ndjson.
func wantsNDJSON(accept []byte) bool {
	for more := len(accept) > 0; more; {
		var t []byte
		t, accept, more = bytes.Cut(accept, []byte(","))
		t, _, _ = bytes.Cut(t, []byte(";"))
		if bytes.EqualFold(bytes.TrimSpace(t), []byte("application/x-ndjson")) {
			return true
		}
	}
	return false
}

// ServeTicker is GET /predict/{ticker}: the same answer in a form that HTTP caches keep, for as
// long as the cache here would give it. A client that subtracts Age from max-age errs on the safe
// side.
func (s *Service) ServeTicker(w http.ResponseWriter, r *http.Request) {
	p := Plain{
		Ticker:      []byte(r.PathValue("ticker")),
		Query:       []byte(r.URL.RawQuery),
		IfNoneMatch: []byte(strings.Join(r.Header["If-None-Match"], ",")),
	}
	if err := s.answerTicker(&p); err != nil {
		s.refuse(w, r, err)
		return
	}
	h := w.Header()
	h.Set("ETag", string(p.ETag))
	h.Set("Cache-Control", string(p.CacheControl))
	h.Set("Age", string(p.Age))
	if p.NotModified {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	writeJSON(w, http.StatusOK, p.Answer)
}

// PlainTicker is ServeTicker for plain requests, right or wrong.
func (s *Service) PlainTicker() PlainRoute {
	return PlainRoute{Decode: always, Answer: s.answerTicker, Cacheable: true}
}

func always(*Plain) bool { return true }

func (s *Service) answerTicker(p *Plain) error {
	q := query{path: p.Ticker, raw: p.Query}
	ticker := q.ticker()
	days := int(q.integer("days_ahead", DefaultDays, MinDays, MaxDays))
	confidence := q.number("confidence_interval", DefaultConfidence, confidenceRule)
	asOf, hasAsOf := q.date("as_of")
	st, t, err := s.find(&q, ticker)
	if err != nil {
		return err
	}
	k := st.key(t, days, confidence)
	if hasAsOf {
		var rule *pyjson.Rule
		if k.asOf, rule = st.past.effective(t, asOf); rule != nil {
			q.fail(rule, "query", "as_of", []byte(asOf.String()))
			return q.err()
		}
	}
	item, err := s.cachedItem(context.Background(), st, k)
	if errors.Is(err, errTooEarly) {
		q.fail(&ruleAsOfShort, "query", "as_of", []byte(asOf.String()))
		err = q.err()
	}
	if err != nil {
		return err
	}
	b := appendTag(p.buffer[:0], item.Value)
	tag := len(b)
	b = append(b, "public, max-age="...)
	b = strconv.AppendInt(b, int64(item.Left.Seconds()), 10)
	control := len(b)
	b = strconv.AppendInt(b, int64(item.Age.Seconds()), 10)
	p.buffer, p.ETag, p.CacheControl, p.Age = b, b[:tag], b[tag:control], b[control:]
	p.Answer, p.NotModified = item.Value, matchesTag(p.IfNoneMatch, p.ETag)
	if p.NotModified {
		p.Answer = nil
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendTag appends an entity tag that names an answer by its bytes, so that all replicas give it
// the same name. Processors compute both checksums by themselves: together they cost a tenth of
// another hash of 64 bits.
func appendTag(dst, answer []byte) []byte {
	sum := uint64(crc32.ChecksumIEEE(answer))<<32 | uint64(crc32.Checksum(answer, castagnoli))
	dst = append(dst, '"')
	return append(strconv.AppendUint(dst, sum, 16), '"')
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
