// Package source opens prices and weights for commands and servers, and says when their files have
// changed.
package source

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/calibrate"
	"tickercast/model/market"
)

// Config says where prices and weights come from.
type Config struct {
	Prices    string        // file or folder; empty means the embedded snapshot
	Weights   string        // file; empty means the embedded weights
	Calibrate bool          // adjust the model to the past of the prices
	Until     calendar.Date // the last day used; zero means the last of the prices
}

// Open reads everything, or returns an error. It reads again if the files change meanwhile, because
// a file that is being written is read in part, and gives up after three times. When ctx ends, it
// returns the error of ctx within milliseconds.
func (c Config) Open(ctx context.Context) (*model.Model, *market.Market, error) {
	for range 3 {
		before, _ := FingerprintOf(c.Paths()) // reading reports what cannot be read
		m, mk, err := c.read(ctx)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if after, _ := FingerprintOf(c.Paths()); after == before {
			return m, mk, err
		}
	}
	return nil, nil, fmt.Errorf("%s: changed whenever it was read",
		strings.Join(c.Paths(), " or "))
}

func (c Config) read(ctx context.Context) (*model.Model, *market.Market, error) {
	m, err := c.Model()
	if err != nil {
		return nil, nil, err
	}
	name := "embedded"
	var panel *market.Panel
	if c.Prices == "" {
		panel, err = market.Snapshot()
	} else {
		name = fmt.Sprintf("%q", c.Prices)
		panel, err = market.Open(ctx, c.Prices, market.Options{})
	}
	if err != nil {
		return nil, nil, err
	}
	if c.Until != 0 {
		panel = panel.Until(c.Until)
		name += " up to " + c.Until.String()
	}
	mk, err := market.New(ctx, panel)
	if err != nil {
		return nil, nil, fmt.Errorf("prices %s: %w", name, err)
	}
	if c.Calibrate {
		if m, err = calibrate.Adjust(ctx, m, mk); err != nil {
			return nil, nil, fmt.Errorf("calibrating on prices %s: %w", name, err)
		}
	}
	return m, mk, nil
}

// Model reads the weights only.
func (c Config) Model() (*model.Model, error) {
	if c.Weights == "" {
		return model.Embedded()
	}
	data, err := os.ReadFile(c.Weights)
	if err != nil {
		return nil, fmt.Errorf("reading weights: %w", err)
	}
	m, err := model.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("weights %q: %w", c.Weights, err)
	}
	return m, nil
}

// Paths lists the files and folders that Open reads.
func (c Config) Paths() (paths []string) {
	for _, path := range []string{c.Prices, c.Weights} {
		if path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

// A Fingerprint is a hash of the names, sizes and times of files. It differs when a file has
// changed, as far as those show it. The zero value is no fingerprint of any files.
type Fingerprint [sha256.Size]byte

// FingerprintOf looks at files and everything in folders, without opening a file.
func FingerprintOf(paths []string) (Fingerprint, error) {
	h := sha256.New()
	for _, path := range paths {
		path, err := filepath.EvalSymlinks(path) // the files of a ConfigMap are links that move
		if err != nil {
			return Fingerprint{}, err
		}
		err = filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			if info.Mode().IsRegular() || info.IsDir() { // reading from a pipe changes its time
				fmt.Fprintf(h, "%q %d %d\n", path, info.Size(), info.ModTime().UnixNano())
			}
			return nil
		})
		if err != nil {
			return Fingerprint{}, err
		}
	}
	return Fingerprint(h.Sum(nil)), nil
}
