package server

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tickercast/model/source"
)

// TestPoll has files look like each letter of a history in turn: "-" is not there. After each poll
// the result has a letter: "." for nothing, "R" for a reload, which then succeeds, "X" for one that
// is refused, "!" for news of trouble. "A" is loaded at first.
func TestPoll(t *testing.T) {
	for _, tt := range []struct {
		name, files, want string
		trouble           error // at the end
		refused           bool
	}{
		{"at rest", "AAAA", "....", nil, false},
		{"replaced", "AABBB", "...R.", nil, false},
		{"written for two polls", "BCCC", "..R.", nil, false},
		{"restless", "BCDEFG", "..!...", errChanging, false},
		{"restless, then at rest", "BCDEFFF", "..!..R.", nil, false},
		{"restless again", "BCDDDEFG", "..!R...!", errChanging, false},
		{"restless after a reload", "BCDDEFG", "..!R..!", errChanging, false},
		{"changes with rests", "BAACAADAA", ".........", nil, false},
		{"to and fro", "BABABA", "..!...", errChanging, false},
		{"to and fro, then at rest", "BABAA", "..!..", nil, false},
		{"gone for a moment", "--A--A", "......", nil, false},
		{"gone", "-----", "..!..", errAbsent, false},
		{"gone and back", "----A-", "..!...", nil, false},
		{"gone and replaced", "----BBB", "..!..R.", nil, false},
		{"gone between changes", "B-C-D-", "....!.", errChanging, false},
		{"restless, then gone", "BCD---", "..!...", errAbsent, false},
		{"gone and replaced by a bad one", "----xx", "..!..X", nil, true},
		{"bad", "xxxx", ".X..", nil, true},
		{"bad and mended", "xxBB", ".X.R", nil, false},
		{"bad, and back as it was", "xxAAA", ".X.R.", nil, false},
		{"bad, then gone", "xx---", ".X..!", errAbsent, true},
	} {
		at := byte('A')
		w := &watchedFiles{name: "f", Watched: source.Watched{Name: "f",
			Look: func(context.Context) (source.Fingerprint, error) {
				if at == '-' {
					return source.Fingerprint{}, errors.New("no such file")
				}
				return source.Fingerprint{at}, nil
			}}}
		w.begin(t.Context())
		w.end(nil)
		var got strings.Builder
		for i := range len(tt.files) {
			at = tt.files[i]
			reload, news := w.poll(t.Context())
			result := "."
			switch {
			case reload && news != nil:
				t.Errorf("%s: a reload and %v at once", tt.name, news)
			case news != nil:
				result = "!"
			case reload:
				_, before := w.problem()
				w.begin(t.Context())
				if _, during := w.problem(); during != before {
					t.Errorf("%s: a problem is %v, while loading %v", tt.name, before, during)
				}
				result = "R"
				var err error
				if at == 'x' {
					result, err = "X", errors.New("bad")
				}
				w.end(err)
			}
			got.WriteString(result)
			if w.trouble == nil && w.refused == nil && w.absent == 0 && w.changing == 0 &&
				w.loadedAt != (source.Fingerprint{at}) {
				t.Errorf("%s: %q does not see that it is not what was loaded", tt.name,
					tt.files[:i+1])
			}
		}
		if got.String() != tt.want || !errors.Is(w.trouble, tt.trouble) ||
			tt.trouble == nil && w.trouble != nil || (w.refused != nil) != tt.refused {
			t.Errorf("%s: %s: got %s, %v, %v; want %s, %v", tt.name, tt.files, got.String(),
				w.trouble, w.refused, tt.want, tt.trouble)
		}
		if _, ok := w.problem(); ok != (tt.trouble != nil || tt.refused) {
			t.Errorf("%s: a problem is %v", tt.name, ok)
		}
	}
}

// TestFilesThatDoNotAnswer has a look at files block, then a load. Meanwhile the problem can be
// asked for, and is one after a while.
func TestFilesThatDoNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		w := &watchedFiles{name: "f", Watched: source.Watched{Name: "f",
			Look: func(context.Context) (source.Fingerprint, error) {
				<-answer
				return source.Fingerprint{1}, nil
			}}}
		blocked := make(chan struct{})
		res := &resource{files: []*watchedFiles{w}, load: func(context.Context) error {
			<-blocked
			return nil
		}}
		check := func(want bool) {
			t.Helper()
			synctest.Wait()
			if p, ok := w.problem(); ok != want {
				t.Errorf("got %v, %v; want %v", p, ok, want)
			}
		}
		go w.poll(t.Context())
		check(false)
		time.Sleep(slowness + time.Second)
		check(true)
		answer <- struct{}{}
		check(false)
		go res.loadSafely(t.Context())
		answer <- struct{}{}
		check(false)
		time.Sleep(slowness + time.Second)
		check(true)
		close(blocked)
		check(false)
	})
}
