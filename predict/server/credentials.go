package server

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"tickercast/predict/internal/apikey"
)

// credentials are what clients must show and what they are shown. They come from files, at start
// and again when those change.
type credentials struct {
	keys  atomic.Pointer[apikey.Set] // of clients, on the public port
	token atomic.Pointer[apikey.Set] // of operators, on the admin port
	cert  certificate
}

// resources are the files that cfg names.
func (c *credentials) resources(cfg *Config) (all []*resource) {
	if cfg.KeysFile != "" {
		all = append(all, &resource{paths: []string{cfg.KeysFile},
			load: func(context.Context) error {
				return loadKeys(&c.keys, cfg.KeysFile, apikey.Parse)
			}})
	}
	if cfg.AdminTokenFile != "" {
		all = append(all, &resource{paths: []string{cfg.AdminTokenFile},
			load: func(context.Context) error {
				return loadKeys(&c.token, cfg.AdminTokenFile, apikey.Token)
			}})
	}
	if cfg.TLSCert != "" {
		all = append(all, &resource{paths: []string{cfg.TLSCert, cfg.TLSKey},
			load: func(context.Context) error { return c.cert.load(cfg.TLSCert, cfg.TLSKey) }})
	}
	return all
}

func loadKeys(to *atomic.Pointer[apikey.Set], file string,
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

func (c *certificate) load(chainFile, keyFile string) error {
	chain, err := os.ReadFile(chainFile)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return err
	}
	if err := c.set(chain, key, time.Now()); err != nil {
		return fmt.Errorf("certificate %q with key %q: %w", chainFile, keyFile, err)
	}
	return nil
}
