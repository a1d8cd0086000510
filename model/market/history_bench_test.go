package market

import "testing"

// BenchmarkFromHistory is the features of a series that a request brings. Each is another one: what
// a processor could learn of a few it cannot know of the next client's.
func BenchmarkFromHistory(b *testing.B) {
	series := randomPanel(b, 1, 300, 300).Series()
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		if _, err := FromHistory("A", 0, series[i%len(series)].Close); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
