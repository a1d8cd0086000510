//go:build !linux

package fastlane

import (
	"errors"
	"net"
)

// refuseNew is not possible here.
func refuseNew(net.Listener) error { return errors.ErrUnsupported }

// acceptQueued is not possible here.
func acceptQueued(net.Listener) (net.Conn, error) { return nil, errors.ErrUnsupported }
