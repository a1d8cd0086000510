// Package source opens prices and weights for commands and servers, and says when their files have
// changed.
package source

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/internal/file"
	"tickercast/model/market"
)

// Config says where prices and weights come from.
type Config struct {
	Prices    string        // file, folder or URL; empty means the embedded snapshot
	AuthFile  string        // has the value of the Authorization header for a URL
	Weights   string        // file; empty means the embedded weights
	Calibrate bool          // adjust the model to the past of the prices
	Until     calendar.Date // the last day used; zero means the last of the prices
	SkipBad   bool          // leave out rows and files of prices that are faulty
	Pipes     bool          // read prices from a pipe too, or from the standard input as "-"
	Calendar  string        // name of that of all tickers; empty or "auto" finds that of each

	// Patience is how long a Loader tries a URL that it has never read. 0 means once.
	Patience time.Duration

	// Progress, if not nil, is told what is being done and how many closes are read, 0 where that
	// does not apply.
	Progress func(stage string, closes int)
}

func (c Config) report(stage string) {
	if c.Progress != nil {
		c.Progress(stage, 0)
	}
}

// Open reads everything, or returns an error. It reads a file again that changes meanwhile, because
// one that is being written is read in part, and gives up after three times. When ctx ends, it
// returns the error of ctx within milliseconds.
func (c Config) Open(ctx context.Context) (*model.Model, *market.Market, error) {
	steps, mk, err := NewLoader(c).Load(ctx)
	if err != nil {
		return nil, nil, err
	}
	m, err := steps.On(ctx, mk.AsOf())
	return m, mk, err
}

// FindCalendar returns the calendar of a name, or nil for "auto" and an empty one.
func FindCalendar(name string) (*calendar.Calendar, error) {
	if name == "" || name == "auto" {
		return nil, nil
	}
	if c, ok := calendar.Lookup(name); ok {
		return c, nil
	}
	return nil, fmt.Errorf("unknown calendar %q", name)
}

// Model reads the weights only.
func (c Config) Model(ctx context.Context) (*model.Model, error) {
	if c.Weights == "" {
		return model.Embedded()
	}
	data, err := file.Read(ctx, c.Weights, maxWeights)
	if err != nil {
		return nil, fmt.Errorf("reading weights: %w", err)
	}
	m, err := model.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("weights %q: %w", c.Weights, err)
	}
	return m, nil
}

// maxWeights bounds a file of weights. The embedded ones have 40 kB.
const maxWeights = 1 << 20

// Market reads the prices only.
func (c Config) Market(ctx context.Context) (*market.Market, error) {
	panel, err := c.Panel(ctx)
	if err != nil {
		return nil, err
	}
	return c.marketOf(ctx, panel)
}

// Panel reads the prices as they are, of all days.
func (c Config) Panel(ctx context.Context) (*market.Panel, error) {
	switch {
	case isURL(c.Prices):
		r, err := newRemote(c.Prices, c.AuthFile)
		if err != nil {
			return nil, err
		}
		defer r.transport.CloseIdleConnections()
		panel, _, err := r.panel(ctx, version{}, c.options())
		return panel, err
	case c.AuthFile != "":
		return nil, errors.New("-prices-auth-file is for -prices with an http or https URL")
	case c.Prices == "":
		return market.Snapshot()
	case c.Prices == "-" && c.Pipes:
		return market.Read(ctx, interruptible(ctx, os.Stdin), "stdin", c.options())
	}
	return market.Open(ctx, c.Prices, c.options())
}

func (c Config) options() market.Options {
	o := market.Options{SkipBad: c.SkipBad, Pipes: c.Pipes}
	if c.Progress != nil {
		o.Progress = func(closes int) { c.Progress("reading prices", closes) }
	}
	return o
}

// interruptible returns a reader of r that fails when ctx ends, even while r waits for input.
func interruptible(ctx context.Context, r io.Reader) io.Reader {
	pr, pw := io.Pipe()
	go func() {
		_, err := io.Copy(pw, r)
		pw.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { pr.CloseWithError(ctx.Err()) })
	return pr
}

func (c Config) marketOf(ctx context.Context, panel *market.Panel) (*market.Market, error) {
	begin := panel.From()
	if c.Until != 0 {
		panel = panel.Until(c.Until)
	}
	all, err := FindCalendar(c.Calendar)
	if err != nil {
		return nil, err
	}
	c.report("computing features")
	mk, err := market.New(ctx, panel, all)
	switch {
	case err != nil && c.Until != 0:
		return nil, fmt.Errorf("prices %s up to %s: %w; they begin on %s", c.quoted(), c.Until, err,
			begin)
	case err != nil:
		return nil, fmt.Errorf("prices %s: %w", c.quoted(), err)
	}
	return mk, nil
}

// Name is that of the prices, for messages: a URL without what may be secret.
func (c Config) Name() string {
	switch {
	case c.Prices == "":
		return "embedded"
	case isURL(c.Prices):
		r, err := newRemote(c.Prices, "")
		if err != nil {
			return "URL"
		}
		return r.name
	}
	return c.Prices
}

func (c Config) quoted() string {
	if c.Prices == "" {
		return c.Name()
	}
	return fmt.Sprintf("%q", c.Name())
}

// ReadFile reads a regular file of at most so many bytes, without ever blocking.
func ReadFile(ctx context.Context, path string, most int64) ([]byte, error) {
	return file.Read(ctx, path, most)
}

// A Fingerprint is a hash of what the system says of files: names, kinds, sizes, times of change
// and, where it has them, inodes; or of what a server says of its prices. The zero value is no
// fingerprint of anything.
type Fingerprint [sha256.Size]byte

// A Watched is a source that can be asked whether it has changed.
type Watched struct {
	Name string // for messages
	Look func(context.Context) (Fingerprint, error)
}

// Files returns files and folders to be watched.
func Files(paths ...string) Watched {
	return Watched{strings.Join(paths, ", "), func(context.Context) (Fingerprint, error) {
		return FingerprintOf(paths)
	}}
}

// FingerprintOf looks at files and, in folders, at the files that would be read, without opening
// any. What else happens in a folder does not count.
func FingerprintOf(paths []string) (Fingerprint, error) {
	h := sha256.New()
	for _, path := range paths {
		info, err := addTo(h, path)
		if err != nil {
			return Fingerprint{}, err
		}
		if !info.IsDir() {
			continue
		}
		entries, _ := os.ReadDir(path) // reading reports a folder that cannot be listed
		for _, e := range entries {
			if e.IsDir() || !market.IsPriceFile(e.Name()) {
				continue
			}
			if _, err := addTo(h, filepath.Join(path, e.Name())); err != nil {
				return Fingerprint{}, err
			}
		}
	}
	return Fingerprint(h.Sum(nil)), nil
}

// addTo adds a path to a hash. Of a link it is the target that counts: the files of a ConfigMap are
// links.
func addTo(h io.Writer, path string) (os.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(h, "%q %v\n", path, info.Mode().Type())
	// A folder changes with each file in it, and a pipe when it is read.
	if info.Mode().IsRegular() {
		inode, changed := identity(info)
		fmt.Fprintln(h, info.Size(), info.ModTime().UnixNano(), inode, changed)
	}
	return info, nil
}
