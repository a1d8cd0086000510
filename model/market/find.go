package market

import "strings"

// Find looks a ticker up as sent, then in upper case, then without regard to case and to whether
// it has a dot, a slash or a dash, and last without its exchange suffix: RELIANCE finds
// RELIANCE.NS. The last two find only what is unique. It does not allocate for names of up to 32
// bytes.
func (m *Market) Find(sent []byte) (*Ticker, bool) {
	i, ok := m.byName[string(sent)]
	if !ok {
		var buf [32]byte
		name := append(buf[:0], sent...)
		upper(name)
		if i, ok = m.byName[string(name)]; !ok {
			dashes(name)
			if i, ok = m.aliases[string(name)]; !ok || i < 0 {
				return nil, false
			}
		}
	}
	return &m.tickers[i], true
}

// WhyRefused returns the index in Refused of a ticker that Find does not find.
func (m *Market) WhyRefused(sent []byte) (i int, ok bool) {
	name := []byte(string(sent))
	upper(name)
	dashes(name)
	at, ok := m.refused[string(name)]
	return int(at), ok && at >= 0
}

// aliasesOf returns the index of each of n sorted names under the name in upper case with dashes,
// and under what that is without the exchange suffix. An alias of several names has the index -1.
func aliasesOf(n int, name func(i int) string) map[string]int32 {
	all := make(map[string]int32, n)
	for i := range n {
		alias := aliasOf(name(i))
		// A name that is its own alias comes before others with that alias.
		if j, taken := all[alias]; !taken || name(i) == alias {
			all[alias] = int32(i)
		} else if j < 0 || name(int(j)) != alias {
			all[alias] = -1
		}
	}
	bases := map[string]int32{}
	for i := range n {
		if base := WithoutSuffix(name(i)); base != name(i) {
			alias := aliasOf(base)
			if _, taken := bases[alias]; taken {
				bases[alias] = -1
			} else {
				bases[alias] = int32(i)
			}
		}
	}
	for alias, i := range bases {
		if _, taken := all[alias]; !taken {
			all[alias] = i
		}
	}
	return all
}

func aliasOf(name string) string {
	b := []byte(name)
	upper(b)
	dashes(b)
	return string(b)
}

func upper(name []byte) {
	for i, c := range name {
		if 'a' <= c && c <= 'z' {
			name[i] = c - 'a' + 'A'
		}
	}
}

func dashes(name []byte) {
	for i, c := range name {
		if c == '.' || c == '/' {
			name[i] = '-'
		}
	}
}

// WithoutSuffix returns a ticker without the suffix that names its exchange, such as NS in
// RELIANCE.NS. Other single letters than those of exchanges are classes of shares, as in BRK.B.
func WithoutSuffix(ticker string) string {
	dot := strings.LastIndexByte(ticker, '.')
	if dot < 1 {
		return ticker
	}
	suffix := strings.ToUpper(ticker[dot+1:])
	if strings.Trim(suffix, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || len(suffix) > 4 ||
		len(suffix) < 2 && !strings.ContainsAny(suffix, "FLNOTV") {
		return ticker
	}
	return ticker[:dot]
}
