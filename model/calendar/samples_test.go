package calendar_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"tickercast/model/calendar"
)

// TestSamples compares the calendars with samples of the package that they come from.
func TestSamples(t *testing.T) {
	samples, err := os.ReadFile("testdata/samples.txt")
	if err != nil {
		t.Fatal(err)
	}
	checkSamples(t, string(samples))
}

// TestPackage draws other samples, and makes the data again. It runs where an environment
// variable names a Python that has the package, as gen.py says.
func TestPackage(t *testing.T) {
	python := os.Getenv("TICKERCAST_XCALS_PYTHON")
	if python == "" {
		t.Skip("TICKERCAST_XCALS_PYTHON is not set")
	}
	seed := strconv.FormatInt(time.Now().Unix(), 10)
	samples, err := exec.CommandContext(t.Context(), python, "gen.py", "-samples", seed).Output()
	if err != nil {
		t.Fatalf("gen.py -samples %s: %v", seed, err)
	}
	t.Logf("samples of seed %s", seed)
	checkSamples(t, string(samples))
}

func checkSamples(t *testing.T, samples string) {
	t.Helper()
	nexts, closes := map[string]int{}, map[string]int{}
	for line := range strings.Lines(samples) {
		f := strings.Fields(line)
		switch f[0] {
		case "data":
			data, err := os.ReadFile("sessions.bin")
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%x", sha256.Sum256(data)); got != f[1] {
				t.Fatalf("sessions.bin has the checksum %s, the samples are of %s", got, f[1])
			}
		case "next": // of the name, after the day, sessions by their distance from each other
			nexts[f[1]]++
			c, from := lookup(t, f[1]), day(t, f[2])
			want := from
			for i, gap := range f[3] {
				days, err := strconv.ParseInt(string(gap), 36, 32)
				if err != nil {
					t.Fatal(err)
				}
				want += calendar.Date(days)
				if got := c.Next(from, i+1); got != want {
					t.Fatalf("%s: Next(%v, %d) = %v, want %v", f[1], from, i+1, got, want)
				}
			}
			if len(f[3]) != 30 || c.Between(from, want) != 30 {
				t.Errorf("%s: %d sessions after %v, want 30", f[1], len(f[3]), from)
			}
		case "close": // of the name, the session, in minutes of its day in UTC
			closes[f[1]]++
			c, d := lookup(t, f[1]), day(t, f[2])
			minutes, err := strconv.Atoi(f[3])
			if err != nil {
				t.Fatal(err)
			}
			at := d.Time().Add(time.Duration(minutes) * time.Minute)
			if got := c.LastClosed(at); got != d {
				t.Errorf("%s: LastClosed(%v) = %v, want %v", f[1], at, got, d)
			}
			if got, want := c.LastClosed(at.Add(-1)), c.Floor(d-1); got != want {
				t.Errorf("%s: LastClosed just before %v = %v, want %v", f[1], at, got, want)
			}
		default:
			t.Fatalf("what is %q?", line)
		}
	}
	for _, name := range calendar.Names()[:36] {
		if nexts[name] != 20 || closes[name] < 4 {
			t.Errorf("%s: samples of %d days and %d closes", name, nexts[name], closes[name])
		}
	}
}
