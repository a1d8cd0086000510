// Package source opens prices and weights for commands and servers, and says when their files have
// changed.
package source

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/internal/file"
	"tickercast/model/market"
)

// Config says where prices and weights come from.
type Config struct {
	Prices    string        // file or folder; empty means the embedded snapshot
	Weights   string        // file; empty means the embedded weights
	Calibrate bool          // adjust the model to the past of the prices
	Until     calendar.Date // the last day used; zero means the last of the prices
	Pipes     bool          // read prices from a pipe too, such as /dev/stdin
}

// Open reads everything, or returns an error. It reads a file again that changes meanwhile, because
// one that is being written is read in part, and gives up after three times. When ctx ends, it
// returns the error of ctx within milliseconds.
func (c Config) Open(ctx context.Context) (*model.Model, *market.Market, error) {
	return NewLoader(c).Load(ctx)
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
	if c.Prices == "" {
		return market.Snapshot()
	}
	if err := c.checkPrices(); err != nil {
		return nil, err
	}
	return market.Open(ctx, c.Prices)
}

func (c Config) marketOf(ctx context.Context, panel *market.Panel) (*market.Market, error) {
	if c.Until != 0 {
		panel = panel.Until(c.Until)
	}
	mk, err := market.New(ctx, panel)
	switch {
	case err != nil && c.Until != 0:
		return nil, fmt.Errorf("prices %s up to %s: %w", c.name(), c.Until, err)
	case err != nil:
		return nil, fmt.Errorf("prices %s: %w", c.name(), err)
	}
	return mk, nil
}

// name is that of the prices, for messages.
func (c Config) name() string {
	if c.Prices == "" {
		return "embedded"
	}
	return fmt.Sprintf("%q", c.Prices)
}

// checkPrices refuses what a server must not wait for. A command may read a pipe.
func (c Config) checkPrices() error {
	info, err := os.Stat(c.Prices)
	if err != nil || info.IsDir() || c.Pipes && info.Mode()&os.ModeNamedPipe != 0 {
		return err
	}
	f, err := file.Open(c.Prices, false)
	if err != nil {
		return err
	}
	return f.Close()
}

// Paths names the files and folders that Open reads.
func (c Config) Paths() map[string]string {
	paths := map[string]string{}
	if c.Prices != "" {
		paths["prices"] = c.Prices
	}
	if c.Weights != "" {
		paths["weights"] = c.Weights
	}
	return paths
}

// ReadFile reads a regular file of at most so many bytes, without ever blocking.
func ReadFile(ctx context.Context, path string, most int64) ([]byte, error) {
	return file.Read(ctx, path, most)
}

// A Fingerprint is a hash of what the system says of files: names, kinds, sizes, times of change
// and, where it has them, inodes. The zero value is no fingerprint of any files.
type Fingerprint [sha256.Size]byte

// FingerprintOf looks at files and, in folders, at the files that would be read, without opening
// any.
func FingerprintOf(paths []string) (Fingerprint, error) {
	h := sha256.New()
	add := func(path string) error {
		info, err := os.Stat(path) // of the target of a link: the files of a ConfigMap are links
		if err != nil {
			return err
		}
		inode, changed := identity(info)
		fmt.Fprintf(h, "%q %v %d %d %d\n", path, info.Mode().Type(), info.Size(), inode, changed)
		if info.Mode().IsRegular() {
			fmt.Fprintln(h, info.ModTime().UnixNano())
		}
		return nil
	}
	for _, path := range paths {
		if err := add(path); err != nil {
			return Fingerprint{}, err
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			continue // not a folder, or one that reading reports
		}
		for _, e := range entries {
			if e.IsDir() || !strings.Contains(strings.ToLower(e.Name()), ".csv") {
				continue
			}
			if err := add(filepath.Join(path, e.Name())); err != nil {
				return Fingerprint{}, err
			}
		}
	}
	return Fingerprint(h.Sum(nil)), nil
}
