//go:build race

package cli_test

// raceEnabled makes tests shorter: the detector costs a factor of ten.
const raceEnabled = true
