// Package file opens and reads files that an operator has named, and that may be anything by
// mistake: a pipe without a writer, a device without an end, a sparse file of 64 GB. None of them
// blocks it or takes more memory than allowed.
//
// It writes nothing, and knows nothing of what the files hold.
package file

import (
	"context"
	"fmt"
	"io"
	"os"
)

// Open opens a regular file, or with pipes also a pipe such as /dev/stdin. It never blocks: a pipe
// without a writer is at its end.
func Open(path string, pipes bool) (*os.File, error) {
	// To open a device or a pipe can have effects, such as to rewind a tape or to end a writer.
	if info, err := os.Stat(path); err == nil {
		if err := check(path, info, pipes); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil { // it may be another file by now
		err = check(path, info, pipes)
	}
	// Some files of /proc call themselves regular and make a reader wait for the kernel.
	if err == nil && info.Mode().IsRegular() && waits(f) {
		err = errKind(path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// check refuses what is not a regular file, or not a pipe where that may be.
func check(path string, info os.FileInfo, pipes bool) error {
	switch mode := info.Mode(); {
	case mode.IsRegular() || pipes && mode&os.ModeNamedPipe != 0:
		return nil
	case mode.IsDir():
		return fmt.Errorf("%s: is a folder, want a file", path)
	}
	return errKind(path)
}

func errKind(path string) error {
	return fmt.Errorf("%s: is a pipe, device or socket, want a regular file", path)
}

// Read reads a whole regular file of at most so many bytes. It ends when ctx does.
func Read(ctx context.Context, path string, most int64) ([]byte, error) {
	f, err := Open(path, false)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	defer context.AfterFunc(ctx, func() { f.Close() })()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, err
	case int64(len(data)) > most:
		return nil, fmt.Errorf("%s: larger than %d bytes", path, most)
	}
	return data, nil
}
