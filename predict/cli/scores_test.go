package cli

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tickercast/model"
)

// TestScoresAreOfTheEmbeddedWeights fails when weights are replaced and not judged.
func TestScoresAreOfTheEmbeddedWeights(t *testing.T) {
	m, err := model.Embedded()
	require.NoError(t, err)
	require.NotNil(t, scoresOf(m.Version()), "judge the new weights: see scores.go")
	require.Nil(t, scoresOf("of other weights"))
}
