package predict

// decodePlain is the fast path: it reads one request from the front of b into r and returns the
// bytes used. It knows only what nearly every client sends: an object with the three fields of old,
// each at most once, a ticker of plain ASCII without escapes, days as one or two digits, a
// confidence as 0. and up to fifteen digits. Anything else, wrong or just unusual, is left to the
// full path; so it can never be the one that gets an error wrong. A fuzz test holds it to the full
// path's answer, an allocation test to none.
func decodePlain(b []byte, r *Request) (n int, ok bool) {
	var ticker []byte
	days, confidence := 0, 0.0
	i := skipBlanks(b, 0)
	if i >= len(b) || b[i] != '{' {
		return 0, false
	}
	for {
		i = skipBlanks(b, i+1)
		// Shortest member: "ticker":"A"
		if i+11 > len(b) || b[i] != '"' {
			return 0, false
		}
		key := b[i+1:]
		switch {
		case key[0] == 't' && ticker == nil && hasKey(key, `ticker"`):
			if i = afterColon(b, i+8); i >= len(b) || b[i] != '"' {
				return 0, false
			}
			start := i + 1
			for i = start; i < len(b) && b[i] != '"'; i++ {
				if c := b[i]; c < ' ' || c > '~' || c == '\\' {
					return 0, false
				}
			}
			if i >= len(b) || i == start || i-start > MaxTicker {
				return 0, false
			}
			ticker = b[start:i:i]
			i++
		case key[0] == 'd' && days == 0 && hasKey(key, `days_ahead"`):
			i = afterColon(b, i+12)
			start := i
			for ; i < len(b) && isDigit(b[i]) && i < start+3; i++ {
				days = days*10 + int(b[i]-'0')
			}
			if days < MinDays || days > MaxDays || b[start] == '0' || i >= start+3 {
				return 0, false
			}
		case key[0] == 'c' && confidence == 0 && hasKey(key, `confidence_interval"`):
			if i = afterColon(b, i+21); i+3 > len(b) || b[i] != '0' || b[i+1] != '.' {
				return 0, false
			}
			start := i + 2
			m := 0
			for i = start; i < len(b) && isDigit(b[i]) && i < start+16; i++ {
				m = m*10 + int(b[i]-'0')
			}
			if i == start || i >= start+16 {
				return 0, false
			}
			// Both are exact in a float64, so the quotient is the nearest to what was written.
			confidence = float64(m) / pow10[i-start]
			if confidence < MinConfidence || confidence > MaxConfidence {
				return 0, false
			}
		default:
			return 0, false
		}
		if i = skipBlanks(b, i); i >= len(b) {
			return 0, false
		}
		if b[i] == '}' {
			break
		}
		if b[i] != ',' {
			return 0, false
		}
	}
	if ticker == nil {
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

func hasKey(b []byte, key string) bool { return len(b) >= len(key) && string(b[:len(key)]) == key }

func isDigit(c byte) bool { return c-'0' <= 9 }

func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func skipBlanks(b []byte, i int) int {
	for i < len(b) && isBlank(b[i]) {
		i++
	}
	return i
}

// afterColon returns the index of the value behind a colon, or len(b) when there is none.
func afterColon(b []byte, i int) int {
	if i = skipBlanks(b, i); i >= len(b) || b[i] != ':' {
		return len(b)
	}
	return skipBlanks(b, i+1)
}

func onlyBlanks(b []byte) bool { return skipBlanks(b, 0) == len(b) }
