//go:build !unix

package file

// nonBlocking is no flag here: other systems do not wait when a pipe is opened.
const nonBlocking = 0
