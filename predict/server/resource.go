package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

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

// watchedFiles are the files behind one name, such as prices, and what is wrong with them.
type watchedFiles struct {
	name  string
	paths []string

	mu       sync.Mutex         // guards what follows
	loadedAt source.Fingerprint // when last loaded, well or not
	lastSeen source.Fingerprint // at the last poll
	changing int                // polls in a row that found them changed
	absent   int                // polls in a row that could not look at them
	refused  error              // of the last load
	trouble  error              // of polling
}

// reportAfter is the number of polls in a row after which files that are absent or keep changing
// are reported. For a moment both are normal: that is how files are replaced.
const reportAfter = 3

var (
	errAbsent   = errors.New("not there")
	errChanging = errors.New("changed between any two looks")
)

// poll looks at the files and reports whether they should be loaded again: they have changed, and
// then stayed the same for one interval, so that files which are still being written are not read
// half. news is a trouble that was not there before, or nil.
func (w *watchedFiles) poll() (reload bool, news error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.trouble
	now, err := source.FingerprintOf(w.paths)
	switch {
	case err != nil:
		if w.absent++; w.absent >= reportAfter {
			w.trouble = fmt.Errorf("%w: %w", errAbsent, err)
		}
	case now == w.loadedAt:
		w.absent, w.changing, w.trouble = 0, 0, nil
		w.lastSeen = now
	case now != w.lastSeen:
		w.absent, w.lastSeen = 0, now
		if w.changing++; w.changing >= reportAfter {
			w.trouble = fmt.Errorf("%s %w", strings.Join(w.paths, ", "), errChanging)
		}
	default:
		reload = true
	}
	if before == nil {
		news = w.trouble
	}
	return reload, news
}

// begin notes what the files are before they are read: a change while they are is seen at the next
// poll.
func (w *watchedFiles) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, err := source.FingerprintOf(w.paths)
	w.loadedAt, w.lastSeen = now, now
	w.changing = 0
	if err == nil {
		w.absent, w.trouble = 0, nil
	}
}

// end notes how loading ended.
func (w *watchedFiles) end(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused = err
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
	switch {
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
		w.begin()
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
