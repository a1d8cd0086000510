package predict

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"tickercast/model/calendar"
	"tickercast/model/market"
	"tickercast/predict/pyjson"
)

// csvHead names the columns, which are those of tickercast predict -format csv. A batch has one
// more, for errors.
const csvHead = "ticker,as_of,date,days_ahead,confidence,predicted_price,confidence_lower," +
	"confidence_upper"

// serveCSV answers a GET that q has read. It bypasses the cache, which holds JSON: the forecasts
// are at hand.
func (s *Service) serveCSV(w http.ResponseWriter, r *http.Request, q *query, req *Request) {
	st, t, err := s.find(q, req.Ticker)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	sent, _ := q.value("as_of")
	req.asOfSent = pyjson.StringInput(sent)
	req.Ticker = []byte(t.Name)
	rows, k, err := s.csvRows(r.Context(), st, req, "\n")
	if err != nil {
		s.refuse(w, r, inQuery(err))
		return
	}
	full := store(append([]byte(csvHead+"\n"), rows...))
	body, tag := full.answer(), full.tag()
	h := w.Header()
	h.Set("ETag", string(tag))
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(s.cfg.TTL.Seconds())))
	h.Set("Age", "0")
	h.Set("Cache-Status", "tickercast; fwd=bypass")
	s.answered(w, st, new(Request), origin{k, ""})
	if matchesTag([]byte(strings.Join(r.Header["If-None-Match"], ",")), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", csvType+"; charset=utf-8")
	write(w, http.StatusOK, body)
}

// inQuery is an error about a field of a body, said of a parameter of that name.
func inQuery(err error) error {
	if e, ok := err.(*Error); ok {
		for i := range e.Issues {
			e.Issues[i].In = "query"
		}
	}
	return err
}

// csvRows are the rows for a request, each with an end: one for each day and confidence. The key is
// that of a listed ticker.
func (s *Service) csvRows(ctx context.Context, st *state, r *Request,
	end string) (rows []byte, k key, err error) {
	if err := ctx.Err(); err != nil {
		return nil, k, err
	}
	if r.History != nil {
		asOf := r.asOf(s.cfg.Now())
		ts, err := st.fromHistory(r, asOf)
		if err != nil {
			return nil, k, err
		}
		return ts.appendCSV(nil, string(r.Ticker), asOf, r, end), k, nil
	}
	t, ok := st.find(r.Ticker)
	if !ok {
		return nil, k, errUnknownTicker(r.Ticker)
	}
	if k, err = st.keyOf(t, r); err != nil {
		return nil, k, r.asOfFault(err)
	}
	err = st.with(ctx, k, func(ts *tickerState) {
		rows = ts.appendCSV(nil, t.Name, st.record(r, origin{k, ""}).AsOf, r, end)
	})
	return rows, k, r.asOfFault(err)
}

// fromHistory is what an answer for a series that came with its request needs.
func (st *state) fromHistory(r *Request, asOf calendar.Date) (ts tickerState, err error) {
	t, err := market.FromHistory(string(r.Ticker), asOf, r.History)
	if err != nil {
		return ts, fmt.Errorf("forecasting %d valid closes: %w", len(r.History), err)
	}
	return tickerState{rowPrefix(r.Ticker), datesAfter(r.calendar(), asOf, r.Days), t.Close,
		st.model.Forecast(t.Features[:], r.Days)}, nil
}

func (ts *tickerState) appendCSV(dst []byte, ticker string, asOf calendar.Date, r *Request,
	end string) []byte {
	head := appendCell(nil, ticker)
	head = append(append(append(head, ','), asOf.String()...), ',')
	levels := append([]float64{r.Confidence}, r.Levels...)
	for h := 1; h <= r.Days; h++ {
		median := ts.close * math.Exp(ts.forecast.Median(h))
		d := decimals(median)
		for _, c := range levels {
			lower, upper := ts.forecast.Interval(h, c)
			dst = append(append(dst, head...), ts.dates[h-1][:]...)
			dst = strconv.AppendInt(append(dst, ','), int64(h), 10)
			dst = pyjson.AppendFloat(append(dst, ','), c)
			dst = appendPrice(append(dst, ','), median, d)
			dst = appendPrice(append(dst, ','), ts.close*math.Exp(lower), d)
			dst = appendPrice(append(dst, ','), ts.close*math.Exp(upper), d)
			dst = append(dst, end...)
		}
	}
	return dst
}

// appendCSV appends the rows of the n-th request, or one for its error.
func (b *batch) appendCSV(n int, rows []byte, refusal *Error) error {
	if refusal != nil {
		rows = csvError(n, refusal)
	}
	if err := grow(b.held, cap(rows)); err != nil {
		return err
	}
	defer b.held.Shrink(cap(rows))
	if err := b.extend(len(rows)); err != nil {
		return err
	}
	b.out = append(b.out, rows...)
	return nil
}

// csvError is the row of the n-th request of a batch that got an error.
func csvError(n int, e *Error) []byte {
	row := []byte(strings.Repeat(",", strings.Count(csvHead, ",")+1))
	return append(appendCell(row, fmt.Sprintf("requests[%d]: %d %s", n, e.Status, e.Error())), '\n')
}

// appendCell appends a text, in quotes where it needs them. An apostrophe comes before what a
// spreadsheet would take for a formula. In some countries it also takes a semicolon for the end of
// a cell, and wide characters for signs.
func appendCell(dst []byte, s string) []byte {
	parts := strings.Split(strings.ToValidUTF8(s, "\ufffd"), ";")
	for i, p := range parts {
		if first, _ := utf8.DecodeRuneInString(p); strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
			parts[i] = "'" + p
		}
	}
	if s = strings.Join(parts, ";"); strings.ContainsAny(s, ",\"\r\n;") {
		s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return append(dst, s...)
}
