package market

import (
	"fmt"
	"time"
)

// Options say how prices are read. The zero value reads as a server does by default.
type Options struct {
	// SkipBad leaves out rows that cannot be read, and files whose header or format cannot.
	// Otherwise a single one refuses all prices.
	SkipBad bool
	// Pipes lets Open read a pipe, which it may have to wait for.
	Pipes bool
	// Now returns the time, by which dates of the future are refused; nil is time.Now.
	Now func() time.Time
	// Progress, if not nil, is called after each part of a file with the number of closes so far,
	// by one goroutine.
	Progress func(closes int)
}

// Fault is what is wrong with a file or with a row of it.
type Fault struct {
	File    string
	Line    int // 0 if it is not about a line
	Message string

	cause error // of reading, or nil
}

// String returns "file:line: message".
func (f Fault) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.Message
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Message)
}

// FaultsError lists all files that cannot be read, in their order, each with its first fault.
type FaultsError struct{ Faults []Fault }

// Error returns the first fault and how many there are.
func (e *FaultsError) Error() string {
	switch more := len(e.Faults) - 1; more {
	case 0:
		return e.Faults[0].String()
	case 1:
		return e.Faults[0].String() + " (and 1 more faulty file)"
	default:
		return fmt.Sprintf("%v (and %d more faulty files)", e.Faults[0], more)
	}
}

// Unwrap returns the errors of reading among the faults.
func (e *FaultsError) Unwrap() (causes []error) {
	for _, f := range e.Faults {
		if f.cause != nil {
			causes = append(causes, f.cause)
		}
	}
	return causes
}

// Report says what reading left out and what may be wrong though it was read.
type Report struct {
	Faults      []Fault  // that Options.SkipBad left out, the first of each file
	BadRows     int      // that Options.SkipBad left out of files that were read
	BadFiles    []string // that Options.SkipBad left out
	Missing     int      // rows without any price, which are no rows
	OtherSeries int      // rows of other series of a stock that has a row on that day
	Skipped     []string // files and folders in a folder that are not read
	// Truncated lists the files that end within a line and may have been cut short: a price of
	// 122.20 that was cut to 1 is a price too. Many good files have no last line break, so it is no
	// fault. Packed files are never listed, because their checksum finds a cut.
	Truncated []string
}
