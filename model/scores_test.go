package model

import "testing"

// TestScoresAreOfTheEmbeddedWeights fails when weights are replaced without being judged.
func TestScoresAreOfTheEmbeddedWeights(t *testing.T) {
	m, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	if Scores(m.Version()) == nil {
		t.Errorf("no scores of %s; scores.go says how to make them", m.Version())
	}
	if got := Scores("of other weights"); got != nil {
		t.Errorf("got %s for other weights, want none", got)
	}
}
