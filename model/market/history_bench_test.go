package market

import "testing"

// BenchmarkFromHistory is the features of a series that a request brings.
func BenchmarkFromHistory(b *testing.B) {
	closes := randomPanel(b, 1, 1, 300).Series()[0].Close
	b.ReportAllocs()
	for b.Loop() {
		if _, err := FromHistory("A", 0, closes); err != nil {
			b.Fatal(err)
		}
	}
}
