package source

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime/debug"
	"time"
)

// A download is prices on their way.
type download struct {
	version
	body  *bounded
	times times
	timer *time.Timer
	ctx   context.Context
	close func()
}

func (d *download) Read(p []byte) (int, error) {
	d.timer.Reset(d.times.stall)
	n, err := d.body.Read(p)
	if err != nil && err != io.EOF {
		err = d.reason(err)
	}
	return n, err
}

// reason returns why the download was ended, if that is why err came.
func (d *download) reason(err error) error {
	if cause := context.Cause(d.ctx); cause != nil {
		return cause
	}
	return err
}

// bounded fails after so many bytes. It keeps the error of a read that failed.
type bounded struct {
	r    io.Reader
	left int64
	err  error
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		n, err = 0, fmt.Errorf("larger than %d MB", most()>>20)
	}
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}

// most bounds the bytes of prices, packed and unpacked.
func most() int64 {
	if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
		return limit
	}
	return 1 << 30
}
