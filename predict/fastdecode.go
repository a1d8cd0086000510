package predict

import "context"

// Plain is a request in the form that package fastlane reads, and the answer to it. A server uses
// one for many requests in turn.
type Plain struct {
	Ticker, Query       []byte // of the target
	Name                string // one of PlainRoute.Names, in the path
	Accept, IfNoneMatch []byte // headers
	Body                []byte

	Answer      []byte // must not be changed, and is valid until the next request
	NotModified bool   // the answer is a 304 without a body

	Age, CacheControl, CacheStatus, ETag []byte // headers of a cacheable answer

	state   *state  // nil if the answer is no forecast
	request Request // unless it is a batch
	made    origin  // of the answer to request
	many    bool    // it is a batch
	items   int     // of a batch
	buffer  []byte  // for an answer that is put together, and for headers
}

// Forget lets go of a long request. Call it when p is answered: it may wait long for the next.
func (p *Plain) Forget() {
	if p.request.History != nil || p.request.Levels != nil {
		p.request = Request{}
	}
}

// A PlainRoute serves the plain requests of one route in two steps, between which a server can
// refuse a request.
type PlainRoute struct {
	// Decode reports whether a request is plain. If it is not, nothing has been counted.
	Decode func(*Plain) bool
	// Answer answers a request that Decode has read. [Service.PublicError] turns the error into one
	// for the client.
	Answer func(*Plain) error
	// Cacheable says that answers have the headers of Plain.
	Cacheable bool
	// Vary is that header of all answers and errors; empty means none.
	Vary string
	// Names are what may stand for {name} in the path of the route, if that is in it.
	Names []string
}

// maxPlainIntervals bounds the intervals of the answer to a plain request, of 70 bytes each: it is
// sent without the limits that long answers have, and a client that does not read it makes the
// server hold it.
const maxPlainIntervals = 100

// PlainPredict is ServePredict for a valid request in the form that nearly every client sends.
func (s *Service) PlainPredict() PlainRoute {
	return PlainRoute{Decode: s.decodePlain, Answer: s.answerPlain}
}

func (s *Service) decodePlain(p *Plain) bool {
	r := &p.request
	*r = Request{}
	n, ok := decodeFast(p.Body, r)
	p.state, p.many = s.state.Load(), false
	return ok && onlyBlanks(p.Body[n:]) && int64(len(p.Body)) <= s.cfg.MaxBody && p.state != nil &&
		len(r.Levels)*r.Days <= maxPlainIntervals
}

func (s *Service) answerPlain(p *Plain) (err error) {
	p.Answer, p.made, err = s.answerFrom(context.Background(), p.state, &p.request)
	return err
}

// decodeFast reads one request from the front of b into r, which is zero, and returns its length.
// It knows only an object of the fields of a request, each at most once: a ticker of printable
// ASCII without escapes, one or two digits of days, a confidence of 0. and up to 15 digits, numbers
// without sign and exponent. Anything else, wrong or unusual, is left to the full path, so this one
// need not get an error right.
//
// Within it len(b) is the index of a value that is not in that form.
func decodeFast(b []byte, r *Request) (n int, ok bool) {
	var ticker []byte
	days, confidence := 0, 0.0
	i := skipBlanks(b, 0)
	if i >= len(b) || b[i] != '{' {
		return 0, false
	}
	for {
		i = skipBlanks(b, i+1)
		if i >= len(b) || b[i] != '"' {
			return 0, false
		}
		switch key := b[i+1:]; {
		case ticker == nil && hasPrefix(key, `ticker"`):
			ticker, i = fastTicker(b, afterColon(b, i+len(`"ticker"`)))
		case days == 0 && hasPrefix(key, `days_ahead"`):
			days, i = fastDays(b, afterColon(b, i+len(`"days_ahead"`)))
		case confidence == 0 && hasPrefix(key, `confidence_interval"`):
			confidence, i = fastConfidence(b, afterColon(b, i+len(`"confidence_interval"`)))
		default:
			i = r.fastOwn(b, i)
		}
		if i = skipBlanks(b, i); i >= len(b) || b[i] != ',' {
			break
		}
	}
	if i >= len(b) || b[i] != '}' || ticker == nil || r.Calendar != nil && r.History == nil {
		return 0, false
	}
	if days == 0 {
		days = DefaultDays
	}
	if confidence == 0 {
		confidence = DefaultConfidence
	}
	r.Ticker, r.Days, r.Confidence = ticker, days, confidence
	return i + 1, true
}

// fastOwn reads one of the other fields, of which the name begins at b[i].
func (r *Request) fastOwn(b []byte, i int) (end int) {
	key := b[i+1:]
	switch {
	case r.History == nil && hasPrefix(key, `history"`):
		r.History, i = fastNumbers(b, afterColon(b, i+len(`"history"`)), MinHistory, MaxHistory,
			MinClose, MaxClose)
	case !r.HasAsOf && hasPrefix(key, `as_of"`):
		start := afterColon(b, i+len(`"as_of"`))
		r.AsOf, i = fastDate(b, start)
		r.HasAsOf, r.asOfSent = true, b[start:i]
	case r.Calendar == nil && hasPrefix(key, `calendar"`):
		r.Calendar, i = fastCalendar(b, afterColon(b, i+len(`"calendar"`)))
	case r.Levels == nil && hasPrefix(key, `levels"`):
		r.Levels, i = fastNumbers(b, afterColon(b, i+len(`"levels"`)), 1, MaxLevels,
			MinConfidence, MaxConfidence)
	default:
		return len(b)
	}
	return i
}

func fastTicker(b []byte, i int) (ticker []byte, end int) {
	if i >= len(b) || b[i] != '"' {
		return nil, len(b)
	}
	start := i + 1
	for i = start; i < len(b) && b[i] != '"'; i++ {
		if c := b[i]; c < ' ' || c > '~' || c == '\\' {
			return nil, len(b)
		}
	}
	if i >= len(b) || i == start || i-start > MaxTicker {
		return nil, len(b)
	}
	return b[start:i:i], i + 1
}

func fastDays(b []byte, i int) (days, end int) {
	start := i
	for ; i < len(b) && isDigit(b[i]) && i < start+3; i++ {
		days = days*10 + int(b[i]-'0')
	}
	if days < MinDays || days > MaxDays || b[start] == '0' || i >= start+3 {
		return 0, len(b)
	}
	return days, i
}

func fastConfidence(b []byte, i int) (confidence float64, end int) {
	if i+3 > len(b) || b[i] != '0' || b[i+1] != '.' {
		return 0, len(b)
	}
	start, m := i+2, 0
	for i = start; i < len(b) && isDigit(b[i]) && i < start+16; i++ {
		m = m*10 + int(b[i]-'0')
	}
	if i == start || i >= start+16 {
		return 0, len(b)
	}
	// Both are exact in a float64, so the quotient is the nearest to what was written.
	confidence = float64(m) / pow10[i-start]
	if confidence < MinConfidence || confidence > MaxConfidence {
		return 0, len(b)
	}
	return confidence, i
}

func hasPrefix(b []byte, s string) bool { return len(b) >= len(s) && string(b[:len(s)]) == s }

func isDigit(c byte) bool { return c-'0' <= 9 }

func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func skipBlanks(b []byte, i int) int {
	for i < len(b) && isBlank(b[i]) {
		i++
	}
	return i
}

// afterColon returns the index of the value after a colon, or len(b) if there is none.
func afterColon(b []byte, i int) int {
	if i = skipBlanks(b, i); i >= len(b) || b[i] != ':' {
		return len(b)
	}
	return skipBlanks(b, i+1)
}

func onlyBlanks(b []byte) bool { return skipBlanks(b, 0) == len(b) }
