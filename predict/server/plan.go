package server

import (
	"tickercast/predict/fastlane"
	"tickercast/predict/internal/limits"
)

// adminConns is how many connections the admin port has. They are not taken from those of the
// public port, so neither can lock out the other.
const adminConns = 48

// planConns returns how many connections the public port may have, as far as descriptors allow.
func planConns(cfg *Config) (int, error) {
	reserved := 0
	if cfg.AdminAddr != "" {
		reserved = adminConns + fastlane.MaxLeaving(adminConns)
	}
	return limits.Conns(cfg.MaxConns, limits.Files(), reserved, fastlane.MaxLeaving)
}
