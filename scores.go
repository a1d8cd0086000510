package main

import (
	_ "embed"
	"encoding/json"
)

// embeddedScores is how the embedded weights did on prices that are later than those they were
// fitted on:
//
//	tickercast evaluate -prices F -from 2025-03-03 -every 1 -format scores
//
// F being the prices that the snapshot is made of. Their one year is too short to fit other
// baselines on than EWMA with normal tails.
//
//go:embed model/scores.json
var embeddedScores []byte

// scoresOf returns the scores of the weights of that version, or nil for weights other than the
// embedded ones.
func scoresOf(version string) json.RawMessage {
	var of struct {
		Model string `json:"model_version"`
	}
	if json.Unmarshal(embeddedScores, &of) != nil || of.Model != version {
		return nil
	}
	return embeddedScores
}
