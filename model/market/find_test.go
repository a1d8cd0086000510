package market

import (
	"strings"
	"testing"
)

func marketNamed(t testing.TB, names ...string) *Market {
	t.Helper()
	var series []Series
	for _, name := range names {
		series = append(series, seriesOn(t, name, "XNYS", "2026-02-18", 40))
	}
	return marketOf(t, nil, series...)
}

func TestFindOtherSpellings(t *testing.T) {
	for _, k := range []struct{ names, found string }{
		{"BRK-B", "BRK-B=BRK-B BRK.B=BRK-B brk.b=BRK-B BRK/B=BRK-B brk/b=BRK-B BRKB= BRK="},
		{"BRK.B", "BRK-B=BRK.B brk-b=BRK.B BRK/B=BRK.B BRK="},
		{"BRK.B BRK-B", "BRK.B=BRK.B BRK-B=BRK-B brk.b=BRK.B BRK/B=BRK-B"},
		{"BRK.B BRK/B", "BRK.B=BRK.B BRK/B=BRK/B BRK-B="},
		{"RELIANCE.NS TCS.NS TCS.BO", "RELIANCE=RELIANCE.NS reliance=RELIANCE.NS " +
			"RELIANCE-NS=RELIANCE.NS RELIANCE.BO= TCS= TCS.BO=TCS.BO"},
		{"VOD.L VOD", "VOD=VOD VOD.L=VOD.L vod=VOD"},
		{"VOD.L 0700.HK", "VOD=VOD.L 0700=0700.HK 700="},
		{"aapl.us", "AAPL.US=aapl.us aapl.us=aapl.us AAPL=aapl.us aapl=aapl.us Aapl-Us=aapl.us"},
		{"aapl AAPL", "aapl=aapl AAPL=AAPL Aapl=AAPL"},
		{"aapl Aapl", "aapl=aapl Aapl=Aapl AAPL="},
		{"BF.B M&M.NS ^GSPC", "BF-B=BF.B M&M=M&M.NS m&m=M&M.NS ^gspc=^GSPC"},
		{".NS", ".NS=.NS ="},
	} {
		m := marketNamed(t, strings.Fields(k.names)...)
		for _, pair := range strings.Fields(k.found) {
			sent, want, _ := strings.Cut(pair, "=")
			got, ok := m.Find([]byte(sent))
			if ok != (want != "") || ok && got.Name != want {
				t.Errorf("among %s, %q finds %v %v, want %q", k.names, sent, got, ok, want)
			}
			if n := testing.AllocsPerRun(10, func() { m.Find([]byte(sent)) }); n != 0 {
				t.Errorf("among %s, %q makes %v allocations", k.names, sent, n)
			}
		}
	}
}
