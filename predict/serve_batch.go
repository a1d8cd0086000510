package predict

import (
	"net/http"
	"strconv"
	"strings"
)

// ServeBatch is POST /predict/batch: {"requests":[...]} of up to 1000 requests, answered in order,
// each by what POST /predict would have answered: {"predictions":[...]} or
// {"error":{"status":...,"detail":...}}. The results come as {"results":[...]}, or one a line for a
// client that accepts application/x-ndjson.
func (s *Service) ServeBatch(w http.ResponseWriter, r *http.Request) {
	if err := s.full(); err != nil {
		s.refuse(w, r, err)
		return
	}
	buf, out := s.batches.get(), s.batches.get()
	defer s.batches.put(buf)
	defer s.batches.put(out)
	body, err := readJSON(w, r, *buf, s.cfg.MaxBatchBody)
	*buf = body
	if err == nil && len(body) == 0 {
		err = errMissingBody()
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	ctx, cancel := s.limited(r.Context())
	defer cancel()
	held := hold{budget: &s.answers}
	defer held.release()
	b := batch{Service: s, ctx: ctx, world: s.world.Load(), lines: wantsLines(r), out: *out,
		hold: &held}
	err = s.costly(func() error { return b.run(body) })
	*out = b.out
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	if b.lines {
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.Header().Set("Content-Length", strconv.Itoa(len(b.out)))
		w.Write(b.out)
		return
	}
	writeJSON(w, http.StatusOK, b.out)
}

func wantsLines(r *http.Request) bool {
	for _, field := range r.Header["Accept"] {
		for t := range strings.SplitSeq(field, ",") {
			t, _, _ = strings.Cut(t, ";")
			if strings.EqualFold(strings.TrimSpace(t), "application/x-ndjson") {
				return true
			}
		}
	}
	return false
}
