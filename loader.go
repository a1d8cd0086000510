package main

import (
	"context"
	"crypto/sha256"
	"flag"
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

// A source says where weights and prices come from; an empty path is what the binary embeds.
type source struct {
	prices, weights string
	calibrate       bool // see package calibrate
}

// sourceFlags declares the flags that every command with a model shares.
func sourceFlags(set *flag.FlagSet) *source {
	s := new(source)
	set.StringVar(&s.prices, "prices", "",
		"`file` or folder of prices, CSV or gzip (default the embedded snapshot)")
	set.StringVar(&s.weights, "weights", "", "`file` of weights (default the embedded ones)")
	set.BoolVar(&s.calibrate, "calibrate", true,
		"move the bounds of the intervals by how the past of the prices was covered, where it "+
			"is long enough to tell")
	return s
}

// A world is what answers are made of: read whole, never changed.
type world struct {
	model  *model.Model
	market *market.Market
	files  stamp // of the source, before it was read

	unended []string // files of prices that may be cut short
}

// load reads a world whole, of closes up to and including a day; day zero means the last. On any
// error there is none. Files that change meanwhile are read again, and refused if they do not come
// to rest: of one that is being written half is there.
func (s source) load(day calendar.Date) (world, error) {
	for range 3 {
		files, _ := stampOf(s.paths()) // what cannot be looked at cannot be read either
		w, err := s.read(day)
		if after, _ := stampOf(s.paths()); after == files {
			w.files = files
			return w, err
		}
	}
	return world{}, fmt.Errorf("%s: changed whenever it was read", strings.Join(s.paths(), " or "))
}

func (s source) read(day calendar.Date) (world, error) {
	m, err := s.loadModel()
	if err != nil {
		return world{}, err
	}
	panel, err := s.loadPanel()
	if err != nil {
		return world{}, err
	}
	if day != 0 {
		panel = panel.Until(day)
	}
	mk, err := market.New(context.Background(), panel)
	switch {
	case err != nil && day != 0:
		return world{}, fmt.Errorf("prices %s up to %s: %w", s.pricesName(), day, err)
	case err != nil:
		return world{}, fmt.Errorf("prices %s: %w", s.pricesName(), err)
	}
	if s.calibrate {
		if m, err = calibrate.Adjust(context.Background(), m, mk); err != nil {
			return world{}, fmt.Errorf("calibrating on prices %s: %w", s.pricesName(), err)
		}
	}
	return world{model: m, market: mk, unended: unended(s.prices)}, nil
}

func (s source) loadModel() (*model.Model, error) {
	if s.weights == "" {
		return model.Embedded()
	}
	data, err := os.ReadFile(s.weights)
	if err != nil {
		return nil, fmt.Errorf("reading weights: %w", err)
	}
	m, err := model.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("weights %q: %w", s.weights, err)
	}
	return m, nil
}

func (s source) loadPanel() (*market.Panel, error) {
	if s.prices == "" {
		return market.Snapshot()
	}
	return market.Open(context.Background(), s.prices)
}

func (s source) pricesName() string {
	if s.prices == "" {
		return "embedded"
	}
	return fmt.Sprintf("%q", s.prices)
}

// paths are the files that a source reads.
func (s source) paths() (paths []string) {
	for _, path := range []string{s.prices, s.weights} {
		if path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

// A stamp tells whether files changed, as well as names, sizes and times can tell. It is a hash of
// them; zero is that of no look.
type stamp [sha256.Size]byte

// stampOf looks at files and folders, never into files.
func stampOf(paths []string) (stamp, error) {
	h := sha256.New()
	for _, path := range paths {
		path, err := filepath.EvalSymlinks(path) // a ConfigMap's files are links that move
		if err != nil {
			return stamp{}, err
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
			return stamp{}, err
		}
	}
	return stamp(h.Sum(nil)), nil
}
