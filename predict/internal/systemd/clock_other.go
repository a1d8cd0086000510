//go:build !linux

package systemd

import "time"

// monotonic returns any microseconds: systemd, which compares them with its own clock, is on Linux.
func monotonic() int64 { return time.Now().UnixMicro() }
