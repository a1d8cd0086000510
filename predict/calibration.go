package predict

import (
	"context"
	"fmt"

	"tickercast/model/calibrate"
	"tickercast/model/market"
)

// judged is how the forecasts of a state did, or why that is not known.
type judged struct {
	report *calibrate.Report
	reason string
}

// noReport is what GET /model says without one.
type noReport struct {
	Forecasts int    `json:"forecasts"` // 0
	Reason    string `json:"reason"`
}

func (j *judged) info() any {
	if j.report == nil {
		return noReport{0, j.reason}
	}
	return j.report
}

// Calibrate compares the forecasts of the last sessions of what is served with the closes that
// came, and has GET /model and GET /tickers/{ticker} say the result. It works in the background and
// is interrupted by ctx. There is no report if sessions is not above zero, or if no
// ticker has enough closes.
func (s *Service) Calibrate(ctx context.Context, sessions int) (*calibrate.Report, error) {
	st, err := s.current()
	if err != nil {
		return nil, err
	}
	if sessions <= 0 {
		st.judged.Store(&judged{reason: "off"})
		return nil, nil
	}
	st.judged.Store(&judged{reason: "still running"})
	daily := st.market.Daily()
	r, err := calibrate.Judge(calibrate.InBackground(ctx), st.steps, daily, st.market.MarketIndex(),
		calibrate.Origins(daily, sessions))
	switch {
	case err != nil:
		st.judged.Store(&judged{reason: "interrupted"})
		return nil, err
	case r.Forecasts == 0:
		st.judged.Store(&judged{reason: fmt.Sprintf("no ticker has %d closes before one of the "+
			"last %d sessions", calibrate.LeastBefore, sessions)})
		return nil, nil
	}
	st.judged.Store(&judged{report: r})
	return r, nil
}

// Calibration returns the report about what is served now, or nil without one.
func (s *Service) Calibration() *calibrate.Report {
	if st := s.state.Load(); st != nil {
		return st.judged.Load().report
	}
	return nil
}

// hitsOf are those of a ticker, for GET /tickers/{ticker}.
func (st *state) hitsOf(t *market.Ticker) []calibrate.Hits {
	if r := st.judged.Load().report; r != nil {
		return r.Ticker(t.Name)
	}
	return nil
}
