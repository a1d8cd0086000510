//go:build !unix

package file

import "os"

// nonBlocking is no flag here: other systems do not wait when a pipe is opened.
const nonBlocking = 0

// waits reports whether a read may have to wait for data: no regular file here does.
func waits(*os.File) bool { return false }
