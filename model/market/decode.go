package market

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// notCSV lists how files begin that are often taken for prices.
var notCSV = [...]struct{ magic, name string }{
	{"PAR1", "a Parquet"},
	{"\xfd7zXZ", "an xz"},
	{"BZh", "a bzip2"},
	{"\x28\xb5\x2f\xfd", "a zstd"},
	{"\x04\x22\x4d\x18", "an lz4"},
	{"7z\xbc\xaf", "a 7-Zip"},
	{"Rar!", "a RAR"},
	{"\xd0\xcf\x11\xe0", "an Excel"},
	{"%PDF", "a PDF"},
	{"ARROW1", "an Arrow"},
	{"FEA1", "a Feather"},
	{"\x89HDF", "an HDF5"},
	{"SQLite format", "an SQLite"},
	{"\x93NUMPY", "a NumPy"},
	{"\x80\x04\x95", "a pickle"},
	{"\x80\x05\x95", "a pickle"},
	{"\x1f\x8b", "a gzip"}, // within another one
	{"PK\x03\x04", "a zip"},
}

const (
	gzipMagic = "\x1f\x8b"
	zipMagic  = "PK\x03\x04"
)

// decodeText returns the text of a file, which may be packed by gzip or zip and may be UTF-16.
// Packed files are checked against their checksum. The limit is the size of a zip that is no
// regular file.
func decodeText(r io.Reader, limit int64) (text *bufio.Reader, packed bool, err error) {
	text = bufio.NewReaderSize(r, bufferSize)
	switch magic, _ := text.Peek(4); {
	case bytes.HasPrefix(magic, []byte(gzipMagic)):
		z, err := gzip.NewReader(text)
		if err != nil {
			return nil, true, fmt.Errorf("decompressing: %w", noEOF(err))
		}
		text, packed = bufio.NewReaderSize(unpacking{z}, bufferSize), true
	case string(magic) == zipMagic:
		member, err := unzip(r, text, limit)
		if err != nil {
			return nil, true, err
		}
		text, packed = bufio.NewReaderSize(unpacking{member}, bufferSize), true
	}
	start, err := text.Peek(512)
	if err != nil && err != io.EOF && len(start) == 0 {
		return nil, packed, err
	}
	for _, kind := range notCSV {
		if bytes.HasPrefix(start, []byte(kind.magic)) {
			return nil, packed, fmt.Errorf("is %s file: want CSV", kind.name)
		}
	}
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		text.Discard(3)
		start = start[3:]
	case bytes.HasPrefix(start, []byte("\xff\xfe")):
		text.Discard(2)
		return bufio.NewReaderSize(&utf16Reader{r: text, order: binary.LittleEndian},
			bufferSize), packed, nil
	case bytes.HasPrefix(start, []byte("\xfe\xff")):
		text.Discard(2)
		return bufio.NewReaderSize(&utf16Reader{r: text, order: binary.BigEndian},
			bufferSize), packed, nil
	}
	return text, packed, checkMarkup(start)
}

// checkMarkup refuses texts that are no tables, as servers send them instead of prices.
func checkMarkup(start []byte) error {
	start = bytes.TrimSpace(start)
	lower := strings.ToLower(string(start))
	for _, tag := range []string{"<!doctype", "<html", "<head", "<body", "<!--", "<?xml", "<rss",
		"<svg", "<error", "<table"} {
		if strings.HasPrefix(lower, tag) {
			kind := "an HTML"
			if tag == "<?xml" {
				kind = "an XML"
			}
			line, _, _ := strings.Cut(string(start), "\n")
			return fmt.Errorf("is %s file: want CSV: %.80q", kind, strings.TrimSpace(line))
		}
	}
	if len(start) > 0 && (start[0] == '{' || start[0] == '[') {
		line, _, _ := strings.Cut(string(start), "\n")
		return fmt.Errorf("is a JSON file: want CSV: %.80q", strings.TrimSpace(line))
	}
	return nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// unpacking marks the errors of a reader that decompresses.
type unpacking struct{ r io.Reader }

func (u unpacking) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("decompressing: %w", err)
	}
	return n, err
}

// unzip returns the only CSV of a zip. The list of a zip is at its end, so that a stream is read
// whole.
func unzip(r io.Reader, buffered *bufio.Reader, limit int64) (io.Reader, error) {
	var in io.ReaderAt
	var size int64
	if f, ok := r.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			in, size = f, info.Size()
		}
	}
	if in == nil {
		data, err := io.ReadAll(io.LimitReader(buffered, limit+1))
		if err != nil {
			return nil, err
		}
		if int64(len(data)) > limit {
			return nil, fmt.Errorf("is a zip of more than %d MB, and no regular file", limit>>20)
		}
		in, size = bytes.NewReader(data), int64(len(data))
	}
	z, err := zip.NewReader(in, size)
	if err != nil {
		return nil, fmt.Errorf("decompressing: %w", err)
	}
	var found *zip.File
	n := 0
	for _, f := range z.File {
		name := path.Base(f.Name)
		if name == "[Content_Types].xml" {
			return nil, errors.New("is an Excel file: want CSV")
		}
		if ext := strings.ToLower(path.Ext(name)); (ext == ".csv" || ext == ".txt") &&
			name[0] != '.' && !strings.HasPrefix(f.Name, "__MACOSX/") {
			found = f
			n++
		}
	}
	if n != 1 {
		return nil, fmt.Errorf("is a zip with %d CSV files: want one", n)
	}
	member, err := found.Open()
	if err != nil {
		return nil, fmt.Errorf("decompressing: %w", err)
	}
	return member, nil
}

// utf16Reader turns UTF-16 into UTF-8.
type utf16Reader struct {
	r     *bufio.Reader
	order binary.ByteOrder
	next  rune // a unit that was read ahead, or 0
	out   []byte
}

func (u *utf16Reader) Read(p []byte) (n int, err error) {
	for len(u.out) < len(p) && err == nil {
		var r rune
		if r, err = u.rune(); err == nil {
			u.out = utf8.AppendRune(u.out, r)
		}
	}
	n = copy(p, u.out)
	u.out = u.out[:copy(u.out, u.out[n:])]
	if n > 0 && err == io.EOF {
		err = nil // it comes again
	}
	return n, err
}

func (u *utf16Reader) rune() (rune, error) {
	r, err := u.unit()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	low, err := u.unit()
	if err != nil {
		return utf8.RuneError, nil
	}
	if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
		return full, nil
	}
	u.next = low
	return utf8.RuneError, nil
}

func (u *utf16Reader) unit() (rune, error) {
	if r := u.next; r != 0 {
		u.next = 0
		return r, nil
	}
	var b [2]byte
	if _, err := io.ReadFull(u.r, b[:]); err != nil {
		return 0, err
	}
	return rune(u.order.Uint16(b[:])), nil
}
