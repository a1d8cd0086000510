//go:build race

package cache

// raceEnabled makes tests shorter: the detector costs a factor of ten.
const raceEnabled = true
