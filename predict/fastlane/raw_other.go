//go:build !linux || !(amd64 || arm64)

package fastlane

import "net"

// raw is of no use here: connections are read and written as net.Conn does.
type raw struct{}

func (raw) open(net.Conn) bool        { return false }
func (raw) usable() bool              { return false }
func (raw) write([]byte) (int, error) { panic("fastlane: no raw connections here") }
func (c *conn) converseRaw() outcome  { panic("fastlane: no raw connections here") }
