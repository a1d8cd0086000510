//go:build !race

package fastlane_test

const raceEnabled = false
