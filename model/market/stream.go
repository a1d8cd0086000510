package market

import (
	"context"
	"io"
	"path/filepath"
	"strings"
)

// ReadStream reads a panel as Open reads a file with a name. The name is the ticker where there is
// no column for it. When ctx ends, r must return an error soon.
func ReadStream(ctx context.Context, r io.Reader, name string, _ Options) (*Panel, error) {
	t := newTable()
	t.stem, _, _ = strings.Cut(filepath.Base(name), ".csv")
	if err := t.read(ctx, r, name, ""); err != nil {
		return nil, err
	}
	return t.panel(ctx)
}
