package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// writeFile puts data at path whole or not at all, whatever happens in between: it writes a file
// beside it, syncs, renames, and syncs the directory. A link stays a link; a pipe is written into.
func writeFile(path string, data []byte) (err error) {
	path, whole := target(path)
	if !whole {
		return os.WriteFile(path, data, 0o644)
	}
	f, err := createBeside(path)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("writing %q: %w", path, err)
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	// the rename must outlive a power cut where directories can be synced
	if d, err := os.Open(filepath.Dir(path)); err == nil {
		d.Sync()
		d.Close()
	}
	return nil
}

// checkWritable returns, before long work, the error that writing its result would end in.
func checkWritable(path string) error {
	path, whole := target(path)
	if !whole {
		return nil // opening a pipe would begin the writing
	}
	f, err := createBeside(path)
	if err != nil {
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}

// target returns what a path leads to, and whether it can be replaced as a whole.
func target(path string) (end string, whole bool) {
	if end, err := filepath.EvalSymlinks(path); err == nil {
		path = end
	}
	info, err := os.Stat(path)
	return path, err != nil || info.Mode().IsRegular() || info.IsDir()
}

// createBeside opens a file that can be renamed to path.
func createBeside(path string) (*os.File, error) {
	removeLeftovers(path)
	f, err := os.CreateTemp(filepath.Dir(path), tempName(path)+"*"+tempExt)
	var at *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("writing %q: there is no folder %q", path, filepath.Dir(path))
	case errors.As(err, &at): // its path is that of the temporary file
		return nil, fmt.Errorf("writing %q: %w", path, at.Err)
	case err != nil:
		return nil, fmt.Errorf("writing %q: %w", path, err)
	}
	return f, nil
}

// tempName begins the names of temporary files beside path, and only theirs.
func tempName(path string) string { return "." + filepath.Base(path) + ".tickercast-" }

const (
	tempExt   = ".tmp" // which no reader of a folder takes for prices
	writeTime = time.Minute
)

// removeLeftovers removes temporary files of writers that were killed. One younger than writeTime
// may still be in use; if a writer takes longer, its rename fails and nothing is broken.
func removeLeftovers(path string) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return // creating the file says what is wrong
	}
	for _, e := range entries {
		random, ok := strings.CutPrefix(e.Name(), tempName(path))
		random, tmp := strings.CutSuffix(random, tempExt)
		if !ok || !tmp || random == "" || strings.Trim(random, "0123456789") != "" ||
			!e.Type().IsRegular() {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > writeTime {
			os.Remove(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
}
