package market

import (
	"context"
	"io"
)

// Read reads a panel as Open reads a file called name.
func Read(r io.Reader, name string) (*Panel, error) {
	t := newTable()
	if err := t.read(context.Background(), r, name, ""); err != nil {
		return nil, err
	}
	return t.panel(context.Background())
}
