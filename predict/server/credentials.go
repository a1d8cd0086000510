package server

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"tickercast/model/source"
	"tickercast/predict/internal/apikey"
)

// credentials are what clients must present, and the certificate that is presented to them. They
// come from files, at start and again when those change.
type credentials struct {
	keys  atomic.Pointer[apikey.Set] // of clients, on the public port
	token atomic.Pointer[apikey.Set] // of operators, on the admin port
	cert  certificate
}

// Bounds of the files, in bytes: 16 MiB hold more than the 100,000 keys that a file may have.
const (
	maxKeysFile = 16 << 20
	maxFile     = 1 << 20 // of a token, a certificate or its key
)

// resources are the files that cfg names.
func (c *credentials) resources(cfg *Config) (all []*resource) {
	add := func(name string, load func(context.Context) error, paths ...string) {
		files := &watchedFiles{name: name, Watched: source.Files(paths...)}
		all = append(all, &resource{files: []*watchedFiles{files}, load: load})
	}
	if file := cfg.KeysFile; file != "" {
		add("keys", func(ctx context.Context) error {
			return loadKeys(ctx, &c.keys, file, maxKeysFile, apikey.Parse)
		}, file)
	}
	if file := cfg.AdminTokenFile; file != "" {
		add("admin_token", func(ctx context.Context) error {
			return loadKeys(ctx, &c.token, file, maxFile, apikey.Token)
		}, file)
	}
	if cfg.TLSCert != "" {
		add("certificate", func(ctx context.Context) error {
			return c.cert.load(ctx, cfg.TLSCert, cfg.TLSKey)
		}, cfg.TLSCert, cfg.TLSKey)
	}
	return all
}

func loadKeys(ctx context.Context, to *atomic.Pointer[apikey.Set], file string, most int64,
	parse func(string, []byte) (*apikey.Set, error)) error {
	data, err := source.ReadFile(ctx, file, most)
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

func (c *certificate) load(ctx context.Context, chainFile, keyFile string) error {
	chain, err := source.ReadFile(ctx, chainFile, maxFile)
	if err != nil {
		return err
	}
	key, err := source.ReadFile(ctx, keyFile, maxFile)
	if err != nil {
		return err
	}
	if err := c.set(chain, key, time.Now()); err != nil {
		return fmt.Errorf("certificate %q with key %q: %w", chainFile, keyFile, err)
	}
	return nil
}
