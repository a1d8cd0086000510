package predict

import (
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"
)

// ServeTicker is GET /predict/{ticker}: the same answer, for caches on the way to keep. It is good
// for as long as the cache here would give it; max-age and Age are both told, and a cache that
// subtracts one from the other errs on the safe side.
func (s *Service) ServeTicker(w http.ResponseWriter, r *http.Request) {
	q := newQuery(r)
	ticker := q.ticker()
	days := int(q.integer("days_ahead", DefaultDays, MinDays, MaxDays))
	confidence := q.number("confidence_interval", DefaultConfidence, confidenceRule)
	if err := q.err(); err != nil {
		s.refuse(w, r, err)
		return
	}
	world := s.world.Load()
	t, ok := world.market.Find(ticker)
	if !ok {
		s.refuse(w, r, errUnknownTicker(ticker))
		return
	}
	item, err := s.cachedItem(patient(), world, t, days, confidence)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	tag := entityTag(item.Value)
	h := w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(item.Left.Seconds())))
	h.Set("Age", strconv.Itoa(int(item.Age.Seconds())))
	if matchesTag(r.Header["If-None-Match"], tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	writeJSON(w, http.StatusOK, item.Value)
}

// entityTag names an answer by its bytes, so that every replica gives it the same name.
func entityTag(answer []byte) string {
	h := fnv.New64a()
	h.Write(answer)
	return strconv.Quote(strconv.FormatUint(h.Sum64(), 16))
}

// matchesTag reports whether If-None-Match holds the tag, or a star. Weak tags count: the
// comparison is weak by the RFC.
func matchesTag(fields []string, tag string) bool {
	for _, field := range fields {
		for t := range strings.SplitSeq(field, ",") {
			if t = strings.TrimPrefix(strings.TrimSpace(t), "W/"); t == tag || t == "*" {
				return true
			}
		}
	}
	return false
}
