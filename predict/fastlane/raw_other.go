//go:build !linux || !(amd64 || arm64)

package fastlane

// raw is of no use here: connections are read and written as net.Conn does.
type raw struct{}

func (raw) open(*stream) bool                  { return false }
func (raw) usable() bool                       { return false }
func (raw) read(*stream) error                 { panic("fastlane: no raw connections here") }
func (raw) write(*stream, []byte) (int, error) { panic("fastlane: no raw connections here") }
