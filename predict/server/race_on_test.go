//go:build race

package server_test

// raceEnabled makes tests shorter: the detector costs a factor of ten.
const raceEnabled = true
