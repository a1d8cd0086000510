package predict

import "sync/atomic"

// A budget bounds the memory of large answers, from when they are made until they are sent: a batch
// of 80 kB may ask for 17 MB, and a client that then reads slowly keeps them here for as long as
// the server lets it.
type budget struct {
	max     int64
	used    atomic.Int64
	refused atomic.Uint64
}

// A hold is what one answer has of a budget.
type hold struct {
	*budget
	bytes int64
}

const (
	// freeBytes of each answer count for nothing: as many go into a socket at once, so nobody waits
	// with them.
	freeBytes = 64 << 10
	// holdStep is taken at a time: an answer grows in small pieces, and its memory in large ones.
	holdStep = 256 << 10
)

// grow takes what an answer of n bytes needs beyond what it has. An answer that is alone may be of
// any size; else the error is that of overload.
func (h *hold) grow(n int) error {
	for int64(n) > freeBytes+h.bytes {
		if used := h.used.Add(holdStep); used > h.max && used > h.bytes+holdStep {
			h.used.Add(-holdStep)
			h.refused.Add(1)
			return ErrOverload()
		}
		h.bytes += holdStep
	}
	return nil
}

// release gives back what grow took.
func (h *hold) release() {
	h.used.Add(-h.bytes)
	h.bytes = 0
}

// AnswersRefused is the number of requests that got a 503 for Config.AnswerBytes.
func (s *Service) AnswersRefused() uint64 { return s.answers.refused.Load() }
