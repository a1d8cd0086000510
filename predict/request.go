package predict

import "tickercast/model/calendar"

// Request is a valid request for a forecast.
type Request struct {
	Ticker     []byte  // as sent; may alias the body that it was decoded from
	Days       int     // trading days to forecast, 1 to 30
	Confidence float64 // of the central interval, 0.8 to 0.99

	// Extras that few requests have.
	// closes of a series of the client's own, oldest first; nil for a ticker of the market
	History []float64
	AsOf    calendar.Date // the day of the last close; has a meaning only with HasAsOf
	HasAsOf bool
	Levels  []float64 // further confidences to report, in the order asked for
}

// Decode reads a JSON body the way FastAPI and Pydantic read it: strict about JSON, lax about the
// kinds of its values. An error is always an *Error. A plain valid request costs no allocation; its
// Ticker aliases body.
func Decode(body []byte) (Request, error) {
	var r Request
	if n, ok := decodePlain(body, &r); ok && onlyBlanks(body[n:]) {
		return r, nil
	}
	r, err := decodeFull(body)
	if err != nil {
		return Request{}, err
	}
	return r, nil
}

// decodeFull is Decode without its fast path: the slow and complete one, which owns every error.
func decodeFull(body []byte) (Request, *Error) {
	if len(body) == 0 {
		return Request{}, errMissingBody()
	}
	d, err := parse(body)
	if err != nil {
		return Request{}, err
	}
	return d.request(0)
}

func errMissingBody() *Error {
	return &Error{Status: 422,
		Issues: []Issue{{Rule: ruleMissing, In: "body", Index: -1, Input: []byte("null")}}}
}
