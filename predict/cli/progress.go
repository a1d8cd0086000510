package cli

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// A progress shows on the last line of a terminal how far long work has come. In a pipe it is
// silent. It is safe for concurrent use.
type progress struct {
	screen *screen // nil: not a terminal

	mu           sync.Mutex
	ended        bool
	stage        string
	start, drawn time.Time // of the stage
}

// progress begins to show work on stderr.
func (e *env) progress() *progress {
	if !isTerminal(e.stderr) {
		return &progress{}
	}
	return &progress{screen: &screen{w: e.stderr}}
}

// over returns a writer of whole lines above what p shows, if that is on w.
func (p *progress) over(w io.Writer) io.Writer {
	if p.screen == nil || !isTerminal(w) {
		return w
	}
	return p.screen.over(w)
}

// each is how often the line is drawn. Work that takes less draws nothing.
const each = 100 * time.Millisecond

// enter begins a stage, or goes on with it, and reports whether it is time to draw.
func (p *progress) enter(stage string) bool {
	if p.screen == nil || p.ended {
		return false
	}
	now := time.Now()
	if stage != p.stage {
		if p.drawn.IsZero() {
			p.drawn = now
		}
		p.stage, p.start = stage, now
	}
	if now.Sub(p.drawn) < each {
		return false
	}
	p.drawn = now
	return true
}

// count shows a stage of which no one knows the end, with what is done so far, if that is known.
func (p *progress) count(stage string, done int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.enter(stage) {
		return
	}
	if done == 0 {
		p.screen.show(stage)
		return
	}
	p.screen.show(fmt.Sprintf("%s, %s closes", stage, thousands(done)))
}

// of returns a func that shows a stage of which the end is known.
func (p *progress) of(stage string) func(done, total int) {
	return func(done, total int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.enter(stage) {
			return
		}
		left := "?"
		if done > 0 {
			each := p.drawn.Sub(p.start) / time.Duration(done)
			left = (each * time.Duration(total-done)).Round(time.Second).String()
		}
		p.screen.show(fmt.Sprintf("%s %3d %%, %s left", stage, 100*done/max(total, 1), left))
	}
}

// done clears the line. What comes later is not shown.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.screen != nil && !p.ended {
		p.screen.show("")
	}
	p.ended = true
}

// thousands writes 1234567 as 1,234,567.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
