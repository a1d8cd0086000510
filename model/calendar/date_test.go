package calendar_test

import (
	"encoding/json"
	"testing"
	"time"

	"tickercast/model/calendar"
)

// day parses a date that the test wrote itself.
func day(t testing.TB, s string) calendar.Date {
	t.Helper()
	d, err := calendar.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDateIsTheDayOfTime(t *testing.T) {
	first, last := calendar.Of(1, time.January, 1), calendar.Of(9999, time.December, 31)
	for d := first; d <= last; d += 97 { // a prime: every weekday, every day of a month
		want := time.Date(1970, time.January, 1+int(d), 0, 0, 0, 0, time.UTC)
		if got := d.Time(); !got.Equal(want) {
			t.Fatalf("Date(%d).Time() = %v, want %v", d, got, want)
		}
		if got, want := d.String(), want.Format(time.DateOnly); got != want {
			t.Fatalf("Date(%d).String() = %q, want %q", d, got, want)
		}
		if got, want := d.Weekday(), want.Weekday(); got != want {
			t.Fatalf("%v.Weekday() = %v, want %v", d, got, want)
		}
		if got := calendar.Of(d.Civil()); got != d {
			t.Fatalf("Of(%v.Civil()) = %v", d, got)
		}
		if got := day(t, d.String()); got != d {
			t.Fatalf("Parse(%q) = %v", d.String(), got)
		}
	}
}

func TestFromTimeTakesTheDateOnTheWall(t *testing.T) {
	newYork := time.FixedZone("EST", -5*60*60)
	late := time.Date(2026, time.February, 18, 23, 59, 59, 0, newYork) // the 19th in UTC
	if got, want := calendar.FromTime(late).String(), "2026-02-18"; got != want {
		t.Errorf("FromTime(%v) = %v, want %v", late, got, want)
	}
	if got, want := calendar.FromTime(late.UTC()).String(), "2026-02-19"; got != want {
		t.Errorf("FromTime(%v) = %v, want %v", late.UTC(), got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{
		"", "2026", "2026-02-1", "2026-2-18", "2026-02-188", " 2026-02-18", "2026-02-18 ",
		"2026/02/18", "20260218", "18-02-2026", "2026-00-10", "2026-13-10", "2026-01-00",
		"2026-01-32",
		"2026-02-29", "2100-02-29", "2026-04-31", "0000-01-01", "-001-01-01", "+026-01-01",
		"2026-0x-01", "2026-01-1 ", "２０２６-01-01", "today",
	} {
		if d, err := calendar.Parse(s); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", s, d)
		}
	}
	for _, s := range []string{"2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"} {
		if got := day(t, s).String(); got != s {
			t.Errorf("Parse(%q) = %v", s, got)
		}
	}
}

func TestDateInText(t *testing.T) {
	type box struct{ Day calendar.Date }
	var b box
	if err := json.Unmarshal([]byte(`{"Day":"2026-02-18"}`), &b); err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(b); err != nil || string(got) != `{"Day":"2026-02-18"}` {
		t.Errorf("Marshal(%v) = %s, %v", b.Day, got, err)
	}
	if err := json.Unmarshal([]byte(`{"Day":"2026-02-30"}`), &b); err == nil {
		t.Errorf("Unmarshal took February 30 for %v", b.Day)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"2026-02-18", "2024-02-29", "2023-02-29", "0001-01-01", "0000-01-01",
		"9999-12-31", "2026-2-18", "2026-02-18T"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := calendar.Parse(s)
		if b, errBytes := calendar.Parse([]byte(s)); b != got || (err == nil) != (errBytes == nil) {
			t.Fatalf("Parse(%q) = %v, %v for a string, but %v, %v for bytes", s, got, err, b,
				errBytes)
		}
		want, wantErr := time.Parse(time.DateOnly, s)
		if wantErr == nil && want.Year() == 0 {
			return // time has a year zero, history has not
		}
		if (err == nil) != (wantErr == nil) || err == nil && got != calendar.FromTime(want) {
			t.Fatalf("Parse(%q) = %v, %v, want %v, %v", s, got, err, want, wantErr)
		}
	})
}
