//go:build !unix

package server

import (
	"errors"
	"net"
)

// inherit fails: descriptors do not pass to another process here.
func inherit(int) (net.Listener, error) {
	return nil, errors.New("this system cannot hand over a socket")
}
