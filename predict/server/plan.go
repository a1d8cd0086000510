package server

import (
	"runtime"

	"tickercast/predict/fastlane"
	"tickercast/predict/internal/limits"
)

// The connections of the admin port and of the health socket, which every process of the machine
// may open. They are not taken from those of the public port, so none can lock out another.
const (
	adminConns  = 48
	healthConns = 32
)

// planConns returns how many connections the public port may have, as far as descriptors allow.
func planConns(cfg *Config) (int, error) {
	reserved := 0
	if cfg.AdminAddr != "" {
		reserved += adminConns + fastlane.MaxLeaving(adminConns)
	}
	if cfg.hasHealthSocket() {
		reserved += healthConns + fastlane.MaxLeaving(healthConns)
	}
	return limits.Conns(cfg.MaxConns, limits.Files(), reserved, fastlane.MaxLeaving)
}

func (c *Config) hasHealthSocket() bool { return c.HealthSocket != "" && runtime.GOOS == "linux" }
