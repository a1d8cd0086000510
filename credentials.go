package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"tickercast/predict/apikey"
	"tickercast/predict/certs"
)

// credentials are what clients must show, and what they are shown. They come from files that are
// read at the start and again when they change. What no flag asks for stays nil.
type credentials struct {
	keys  atomic.Pointer[apikey.Set] // of clients, on the public address
	token atomic.Pointer[apikey.Set] // of operators, on the admin address
	cert  *certs.Holder
}

// credentials reads the files of all flags, and returns what reads each again.
func (f *serveFlags) credentials() (*credentials, []*part, error) {
	c := new(credentials)
	var parts []*part
	if f.apiKeys != "" {
		parts = append(parts, &part{paths: []string{f.apiKeys}, load: func() error {
			return loadSet(&c.keys, f.apiKeys, apikey.Parse)
		}})
	}
	if f.adminToken != "" {
		parts = append(parts, &part{paths: []string{f.adminToken}, load: func() error {
			return loadSet(&c.token, f.adminToken, apikey.Token)
		}})
	}
	if (f.tlsCert == "") != (f.tlsKey == "") {
		return nil, nil, usagef("-tls-cert and -tls-key go together")
	}
	if f.tlsCert != "" {
		c.cert = new(certs.Holder)
		parts = append(parts, &part{paths: []string{f.tlsCert, f.tlsKey}, load: func() error {
			return loadPair(c.cert, f.tlsCert, f.tlsKey)
		}})
	}
	for _, p := range parts {
		if err := p.load(); err != nil {
			return nil, nil, err
		}
	}
	return c, parts, nil
}

func loadSet(to *atomic.Pointer[apikey.Set], file string,
	parse func(string, []byte) (*apikey.Set, error)) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	set, err := parse(file, data)
	if err != nil {
		return err
	}
	to.Store(set)
	return nil
}

func loadPair(to *certs.Holder, certFile, keyFile string) error {
	cert, err := os.ReadFile(certFile)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return err
	}
	if err := to.Set(cert, key, time.Now()); err != nil {
		return fmt.Errorf("certificate %q with key %q: %w", certFile, keyFile, err)
	}
	return nil
}

// tlsConfig is nil when plain HTTP is spoken.
func (c *credentials) tlsConfig() *tls.Config {
	if c.cert == nil {
		return nil
	}
	return c.cert.Config()
}

// checkAdmin refuses an admin address that others can reach without a token: profiles show what is
// in memory, and a reload is work.
func (f *serveFlags) checkAdmin(ln net.Listener) error {
	if a, ok := ln.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() && f.adminToken == "" {
		return fmt.Errorf("admin address %s can be reached from elsewhere: it needs "+
			"-admin-token-file", f.adminAddr)
	}
	return nil
}
