package predict

import (
	"context"
	"errors"
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"

	"tickercast/predict/internal/limits"
	"tickercast/predict/pyjson"
)

// maxFastBody is ten times as long as a body that asks for one forecast of a listed ticker. A
// longer one has a history.
const maxFastBody = 1 << 10

// ServePredict is POST /predict.
func (s *Service) ServePredict(w http.ResponseWriter, r *http.Request) {
	long := r.ContentLength < 0 || r.ContentLength > maxFastBody ||
		r.Header["Content-Encoding"] != nil
	var answer []byte
	strict := isStrict(w, r)
	if strict {
		vary(w, "Prefer") // no cache keeps an answer without it: it says nothing of freshness
	}
	err := s.serve(w, r, call{bodies: &s.singles, json: true, costly: long},
		func(ctx context.Context, body []byte, held *limits.Hold) error {
			req, err := decode(body, strict, held)
			if err != nil {
				return err
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
	vary(w, "Accept, Prefer")
	q := newQuery(r)
	b := batch{Service: s, format: q.format(r, true), strict: isStrict(w, r), charge: s.charge(w)}
	defer b.keep()
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

// charge is Config.Charge for one request; nil charges nothing.
func (s *Service) charge(w http.ResponseWriter) func(items int) error {
	if s.cfg.Charge == nil {
		return nil
	}
	return func(items int) error { return s.cfg.Charge(w, items) }
}

func wantsNDJSON(accept string) bool {
	for t := range strings.SplitSeq(accept, ",") {
		t, _, _ = strings.Cut(t, ";")
		if strings.EqualFold(strings.TrimSpace(t), linesType) {
			return true
		}
	}
	return false
}

// ServeTicker is GET /predict/{ticker}: the same answer in a form that HTTP caches keep. It is
// fresh for as long as the cache here keeps it: max-age is the whole of that time, from which
// caches subtract Age.
func (s *Service) ServeTicker(w http.ResponseWriter, r *http.Request) {
	vary(w, "Accept, Prefer")
	q := newQuery(r)
	ticker := q.ticker()
	days := int(q.integer("days_ahead", DefaultDays, MinDays, MaxDays))
	confidence := q.number("confidence_interval", DefaultConfidence, confidenceRule)
	asOf, hasAsOf := q.date("as_of")
	format := q.format(r, false)
	if isStrict(w, r) {
		q.extra("days_ahead", "confidence_interval", "as_of", "format")
	}
	st, t, err := s.find(q, ticker)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	k := st.key(t, days, confidence)
	if hasAsOf {
		var rule *pyjson.Rule
		if k.asOf, rule = st.past.effective(t, asOf); rule != nil {
			q.failAsOf(rule)
			s.refuse(w, r, q.err())
			return
		}
	}
	if format == formatCSV {
		sent, _ := q.value("as_of")
		s.serveCSV(w, r, st, &Request{Ticker: []byte(t.Name), Days: days, Confidence: confidence,
			AsOf: asOf, HasAsOf: hasAsOf, asOfSent: pyjson.StringInput(sent)}, k)
		return
	}
	item, err := s.cached(context.Background(), st, k)
	if errors.Is(err, errTooEarly) {
		q.failAsOf(&ruleAsOfShort)
		err = q.err()
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	tag := entityTag(item.Value)
	h := w.Header()
	h.Set("ETag", tag)
	left := int(item.Left.Seconds())
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(s.cfg.TTL.Seconds())))
	h.Set("Age", strconv.Itoa(int(item.Age.Seconds())))
	h.Set("Cache-Status", cacheStatus(item.Hit, left))
	s.answered(w, st, new(Request), origin{k, lookupOf(item.Hit)})
	if matchesTag(r.Header["If-None-Match"], tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	writeJSON(w, http.StatusOK, item.Value)
}

// cacheStatus says in the words of RFC 9211 what the cache here had, and for how many seconds more.
func cacheStatus(hit bool, left int) string {
	switch {
	case hit:
		return "tickercast; hit; ttl=" + strconv.Itoa(left)
	case left > 0:
		return "tickercast; fwd=miss; stored; ttl=" + strconv.Itoa(left)
	}
	return "tickercast; fwd=miss"
}

// entityTag names an answer by its bytes, so that all replicas give it the same name.
func entityTag(answer []byte) string {
	h := fnv.New64a()
	h.Write(answer)
	return strconv.Quote(strconv.FormatUint(h.Sum64(), 16))
}

// matchesTag reports whether If-None-Match holds the tag or a star. Weak tags match: RFC 9110 wants
// the weak comparison here.
func matchesTag(fields []string, tag string) bool {
	for t := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		if t = strings.TrimPrefix(strings.TrimSpace(t), "W/"); t == tag || t == "*" {
			return true
		}
	}
	return false
}
