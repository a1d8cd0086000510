package cli

import (
	"context"

	"tickercast/model/source"
	"tickercast/predict"
)

// writeAnswer writes the body with which a server that has the same prices and weights answers a
// request for one ticker, to the byte.
func (e *env) writeAnswer(ctx context.Context, src source.Config, tickers []string, days int,
	levels []float64) error {
	steps, mk, err := source.NewLoader(src).Load(ctx)
	if err != nil {
		return err
	}
	chosen, err := choose(mk, tickers)
	if err != nil {
		return err
	}
	s, err := predict.New(predict.Config{})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Swap(ctx, steps, mk); err != nil {
		return err
	}
	r := &predict.Request{Ticker: []byte(chosen[0].Name), Days: days, Confidence: levels[0]}
	if len(levels) > 1 {
		r.Levels = levels[1:]
	}
	answer, err := s.Answer(ctx, r)
	if err != nil {
		return err
	}
	if isTerminal(e.stdout) {
		answer = append(answer[:len(answer):len(answer)], '\n')
	}
	_, err = e.stdout.Write(answer)
	return err
}
