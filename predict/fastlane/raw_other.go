//go:build !linux || !(amd64 || arm64)

package fastlane

import "net"

// raw is unused here: connections are read and written through net.Conn.
type raw struct{}

func (raw) open(net.Conn, bool) bool  { return false }
func (raw) usable() bool              { return false }
func (raw) ready() bool               { return false }
func (raw) read([]byte) (int, error)  { panic("fastlane: no raw connections here") }
func (raw) write([]byte) (int, error) { panic("fastlane: no raw connections here") }
func (c *conn) loopRaw() outcome      { panic("fastlane: no raw connections here") }
