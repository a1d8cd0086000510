//go:build race

package main

// raceEnabled makes tests shorter: the detector costs a factor of ten.
const raceEnabled = true
