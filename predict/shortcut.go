package predict

import (
	"context"

	"tickercast/model/market"
)

// Plain is a request as nearly every client sends it, found to be valid and of a known ticker.
type Plain struct {
	world      *world
	ticker     *market.Ticker
	days       int
	confidence float64
}

// Plain is the shortest way from a body to a request, for front ends of their own: ok is false when
// it is anything but plain. Nothing is computed or counted.
func (s *Service) Plain(body []byte) (p Plain, ok bool) {
	var r Request
	n, ok := decodePlain(body, &r)
	if !ok || !onlyBlanks(body[n:]) {
		return Plain{}, false
	}
	p.world = s.world.Load()
	p.ticker, ok = p.world.market.Find(r.Ticker)
	p.days, p.confidence = r.Days, r.Confidence
	return p, ok
}

// AnswerPlain is Answer for a plain request.
func (s *Service) AnswerPlain(p Plain) ([]byte, error) {
	return s.cached(context.Background(), p.world, p.ticker, p.days, p.confidence)
}
