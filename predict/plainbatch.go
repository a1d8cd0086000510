package predict

import "context"

// maxPlainBatch bounds the answer to a plain batch, in bytes: it is put together and sent without
// the limits that long answers have, and a client that does not read it makes the server hold it.
// Fourteen forecasts of five days fit.
const maxPlainBatch = 12 << 10

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
