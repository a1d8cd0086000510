package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"tickercast/model/source"
)

// A resource is what is loaded as a whole: all of it, or nothing on an error.
type resource struct {
	files    []*watchedFiles
	load     func(context.Context) error
	warn     func()       // logs what is doubtful about what was loaded; nil: nothing
	describe func() []any // for the log, of what is served now; nil: nothing to say
	runner   *runner
}

// watchedFiles are the files or the URL behind one name, such as prices, and what is wrong with
// them.
type watchedFiles struct {
	name string
	source.Watched

	mu       sync.Mutex         // guards what follows
	loadedAt source.Fingerprint // when last loaded, well or not
	lastSeen source.Fingerprint // at the last poll
	changing int                // polls in a row that found them changed
	absent   int                // polls in a row that could not look at them
	refused  error              // of the last load
	trouble  error              // of polling
	looking  time.Time          // when the look under way began; zero: none is
	loading  time.Time          // likewise of loading
}

// reportAfter is the number of polls in a row after which files that are absent or keep changing
// are reported. For a moment both are normal: that is how files are replaced.
const reportAfter = 3

// slowness is how long a look or a load may take until it is reported. A file system that does not
// answer blocks either for ever.
const slowness = time.Minute

var (
	errAbsent   = errors.New("not there")
	errChanging = errors.New("changed between any two looks")
)

// poll looks at the files and reports whether they should be loaded again: they have changed, and
// then stayed the same for one interval, so that files which are still being written are not read
// half. news is a trouble that was not there before, or nil.
func (w *watchedFiles) poll(ctx context.Context) (reload bool, news error) {
	now, err := w.fingerprint(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looking = time.Time{}
	before := w.trouble
	switch {
	case ctx.Err() != nil:
	case err != nil:
		if w.absent++; w.absent >= reportAfter {
			w.trouble = fmt.Errorf("%w: %w", errAbsent, err)
		}
	case now != w.lastSeen:
		w.absent, w.lastSeen = 0, now
		if w.changing++; w.changing >= reportAfter {
			w.trouble = fmt.Errorf("%s %w", w.Name, errChanging)
		}
	case now == w.loadedAt:
		w.absent, w.changing, w.trouble = 0, 0, nil
	default:
		reload = true
	}
	if before == nil {
		news = w.trouble
	}
	return reload, news
}

// fingerprint looks at the files. It holds no lock, because a file system that does not answer must
// not keep /readyz from answering.
func (w *watchedFiles) fingerprint(ctx context.Context) (source.Fingerprint, error) {
	w.mu.Lock()
	w.looking = time.Now()
	w.mu.Unlock()
	return w.Look(ctx)
}

// begin notes what the files are before they are read: a change while they are is seen at the next
// poll.
func (w *watchedFiles) begin(ctx context.Context) {
	now, _ := w.fingerprint(ctx) // reading reports what cannot be looked at
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looking, w.loading = time.Time{}, time.Now()
	w.loadedAt, w.lastSeen = now, now
	w.changing = 0
}

// end notes how loading ended. Until then a trouble lasts, as what is served is still the old.
func (w *watchedFiles) end(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused, w.loading = err, time.Time{}
	if w.loadedAt != (source.Fingerprint{}) {
		w.absent, w.trouble = 0, nil
	}
}

// A problem is why something served is older than its files.
type problem struct {
	name    string
	reason  string // fit for everyone: it has no path and no content of a file
	details string
}

// problem returns what is wrong, if anything.
func (w *watchedFiles) problem() (p problem, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	slow := func(began time.Time) bool { return !began.IsZero() && time.Since(began) > slowness }
	switch {
	case slow(w.looking) || slow(w.loading):
		return problem{w.name, "reading the files does not end",
			w.Name + ": reading takes more than " + slowness.String()}, true
	case w.refused != nil:
		return problem{w.name, "the last reload was refused", oneLine(w.refused)}, true
	case w.trouble != nil:
		reason := "the files keep changing"
		if errors.Is(w.trouble, errAbsent) {
			reason = "the files cannot be read"
		}
		return problem{w.name, reason, w.trouble.Error()}, true
	}
	return problem{}, false
}

// loadSafely loads the resource. It turns a panic into an error: no file may end a server that
// serves others. What is served stays when it fails.
func (res *resource) loadSafely(ctx context.Context) (err error) {
	for _, w := range res.files {
		w.begin(ctx)
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
		for _, w := range res.files {
			w.end(errorOf(w.name, err))
		}
	}()
	return res.load(ctx)
}

// errorOf returns the part of err that is about the files of a name. An error that names none is
// about all.
func errorOf(name string, err error) error {
	var of *source.Error
	if !errors.As(err, &of) {
		return err
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var mine []error
		for _, e := range joined.Unwrap() {
			mine = append(mine, errorOf(name, e))
		}
		return errors.Join(mine...)
	}
	if of.Resource != name {
		return nil
	}
	return err
}

// oneLine is for errors of several parts.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
