package model

import (
	_ "embed"
	"encoding/json"
)

// scores.json says how the embedded weights did on prices later than their training range. After
// new weights, make it again with the prices of the embedded snapshot as F:
//
//	tickercast evaluate -prices F -from 2025-03-03 -every 1 -format scores
//
// Those prices span 14 months, too short to fit any baseline but EWMA with normal tails.
//
//go:embed scores.json
var scores []byte

// Scores returns the scores of the weights with that version, or nil if there are none: they are
// known for the embedded weights only.
func Scores(version string) json.RawMessage {
	var of struct {
		Model string `json:"model_version"`
	}
	if json.Unmarshal(scores, &of) != nil || of.Model != version {
		return nil
	}
	return scores
}
