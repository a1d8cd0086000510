package predict

import (
	"context"
	"slices"
)

// maxPlainBatch bounds the answer to a plain batch, in bytes: it is put together and sent without
// the limits that long answers have, and a client that does not read it makes the server hold it.
const maxPlainBatch = shortAnswer

// PlainBatch is ServeBatch for batches that cost little: each item is in the usual form, and its
// answer is in the cache.
func (s *Service) PlainBatch() PlainRoute {
	return PlainRoute{Decode: s.decodeBatch, Answer: s.answerBatch, Vary: batchVary}
}

func (s *Service) decodeBatch(p *Plain) bool {
	b := batch{Service: s, state: s.state.Load(), kept: true}
	if b.state == nil || acceptedFormat(p.Accept, true) != formatJSON ||
		int64(len(p.Body)) > s.cfg.MaxBatchBody {
		return false
	}
	b.out = append(p.buffer[:0], resultsOpen...)
	ok, err := b.decodeStream(context.Background(), p.Body)
	p.buffer = append(b.out, resultsClose...)
	p.state, p.many, p.items = b.state, true, b.given
	return ok && err == nil
}

func (s *Service) answerBatch(p *Plain) error {
	s.lookups.Add(uint64(p.items))
	p.Answer = p.buffer
	return nil
}

// answerKept answers the n-th request from the cache, or ends the batch.
func (b *batch) answerKept(n int, r *Request) error {
	t, ok := b.state.market.Find(r.Ticker)
	if !ok || r.History != nil || r.HasAsOf || r.Levels != nil {
		return errNotKept
	}
	kept, ok := b.cache.Get(b.state.key(t, r.Days, r.Confidence))
	answer := kept.answer()
	if !ok || len(b.out)+len(answer) > maxPlainBatch {
		return errNotKept
	}
	b.given++
	return b.append(n, answer, nil)
}

// PlainInfer is ServeModelInfer for requests in the usual form whose answer is short JSON.
func (s *Service) PlainInfer() PlainRoute {
	return PlainRoute{Decode: s.decodeInfer, Answer: answerInfer, Vary: inferVary,
		Names: slices.Compact([]string{inferModel, s.cfg.ModelName})}
}

func (s *Service) decodeInfer(p *Plain) bool {
	st := s.state.Load()
	var b inferBody
	if st == nil || int64(len(p.Body)) > s.cfg.MaxBatchBody || !b.readUsual(p.Body) {
		return false
	}
	d := inferDecoder{maxItems: s.cfg.MaxItems} // the length of a plain request bounds the rest
	r, err := d.request(&b, nil)
	if err != nil || r.size() > shortAnswer ||
		slices.ContainsFunc(r.outputs, func(w wanted) bool { return w.binary }) {
		return false
	}
	r.model = p.Name
	answer, err := st.infer(context.Background(), r, p.buffer[:0])
	if err != nil {
		return false
	}
	p.buffer = answer.body
	p.state, p.many, p.items = st, true, len(r.items)
	return true
}

func answerInfer(p *Plain) error {
	p.Answer = p.buffer
	return nil
}
