package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"strings"
	"time"

	"tickercast/model"
	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/model/source"
	"tickercast/predict/fastlane"
	"tickercast/predict/internal/limits"
	"tickercast/predict/internal/logging"
	"tickercast/predict/internal/ratelimit"
	"tickercast/predict/internal/systemd"
)

const (
	// DefaultAdminAddr is on loopback, since what it answers is for operators only.
	DefaultAdminAddr = "127.0.0.1:9090"

	// DefaultHealthSocket is where the health check of an image looks.
	DefaultHealthSocket = "tickercast-health"
)

// Config says what a Server serves, where, and within which limits. Start from Default: a zero
// field means none or no limit unless its comment says otherwise. Listen, Load and Logger are
// needed.
type Config struct {
	// Addresses are host:port, where port 0 takes a free one, unix: and a path, or fd: and the
	// number of a descriptor that the process was started with and that listens.
	Addr      string // of the public port
	AdminAddr string // of metrics, profiles and reload

	SocketMode fs.FileMode // of the files of unix sockets: who may write to one may connect

	// HealthSocket is the name of a unix socket without a file that answers probes however the
	// public port is set and however busy it is; Linux only. Empty means none.
	HealthSocket string

	// Listen opens a port. A test may put a network of its own here.
	Listen func(ctx context.Context, addr string) (net.Listener, error)

	// Load makes what is served, at start and at each reload.
	Load func(context.Context) (*calibrate.Yearly, *market.Market, error)
	// Watch has what Load reads by name, such as "prices": a change calls it again.
	Watch         map[string]source.Watched
	WatchInterval time.Duration // between two looks at Watch, keys, token and certificate

	MaxPriceAge int // trading days of age beyond which it is not ready; 0: none

	// CalibrationDays is how many of the last sessions are forecast again after each load, and held
	// against the closes that came. 0: none.
	CalibrationDays int
	// KeepBetter refuses weights that do worse on them than those that are served, by more than two
	// standard errors.
	KeepBetter bool

	// A zero here means the default of package predict.
	CacheEntries int           // answers to keep
	CacheBytes   int64         // memory for them
	CacheTTL     time.Duration // how long an answer is kept

	MaxConns    int           // open connections; 0: as descriptors and MemoryLimit allow
	MaxConnAge  time.Duration // after which an HTTP/1 connection ends with an answer; 0: never
	MemoryLimit int64         // bytes that the collector keeps the process below; 0: unknown

	MaxBody       int64 // bytes of the body of a request
	MaxBatchBody  int64 // bytes of the body of a batch or inference
	MaxBatchItems int   // requests in a batch or inference

	MaxHeaderBytes  int // of the head of a request, to which net/http adds 4 KiB
	MaxHeaderFields int // in the head of a request

	BatchTimeout time.Duration // for a call that asks for many forecasts
	DrainDelay   time.Duration // how long to go on accepting after SIGTERM
	Grace        time.Duration // how long requests in flight may take after that

	// How long a client may take for its part of a request. All must be above zero.
	ReadHeaderTimeout, ReadTimeout, WriteTimeout, IdleTimeout time.Duration

	KeysFile        string // hashes of the API keys that may ask; empty: everyone may
	AdminTokenFile  string // token for AdminAddr; needed unless that is loopback
	TLSCert, TLSKey string // files, both or neither
	H2C             bool   // HTTP/2 without TLS
	RateLimit       ratelimit.Rate
	RateBurst       int               // requests at once; 0: those of one period of RateLimit
	TrustedProxies  ratelimit.Proxies // networks whose X-Forwarded-For is believed
	CORSOrigins     []string          // origins whose pages may ask
	RedactInput     bool              // leave what the client sent out of a 422
	Docs            string            // who gets the page and the document: DocsOpen or another
	ModelName       string            // in the Open Inference Protocol, beside tickercast
	RootPath        string            // the prefix of all paths, as clients see them; may be empty
	FastLane        bool              // answer plain requests without net/http

	Logger       *slog.Logger
	AccessLog    slog.Handler // must not block; needed with an AccessRate
	AccessRate   logging.Rate
	AccessProbes bool // log probes too

	Signals Signals           // end the server or make it reload
	Manager *systemd.Notifier // is told when the server is ready, reloads and stops; may be nil
	OnReady func(Info)        // called once, before the first forecast is answered
}

// Values of Docs.
const (
	DocsOpen = "open" // everyone
	DocsKey  = "key"  // who has a key
	DocsOff  = "off"  // no one
)

// Default returns the default settings. Load and Logger are missing.
func Default() Config {
	return Config{
		Listen:            listen,
		Addr:              ":8080",
		AdminAddr:         DefaultAdminAddr,
		SocketMode:        0o660,
		HealthSocket:      DefaultHealthSocket,
		WatchInterval:     2 * time.Second,
		CalibrationDays:   120,
		CacheEntries:      1 << 16,
		CacheBytes:        64 << 20,
		CacheTTL:          time.Hour,
		MaxBody:           64 << 10,
		MaxBatchBody:      4 << 20,
		MaxBatchItems:     1000,
		MaxHeaderBytes:    8 << 10,
		MaxHeaderFields:   100,
		BatchTimeout:      2 * time.Second,
		DrainDelay:        5 * time.Second,
		Grace:             10 * time.Second,
		ReadHeaderTimeout: 3 * time.Second,
		ReadTimeout:       5 * time.Second, // 4 MiB within it is 800 kB/s
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       75 * time.Second, // balancers' is 60 s: they must close first
		FastLane:          true,
		Docs:              DocsOpen,
		ModelName:         "tickercast",
	}
}

// Validate returns an error for settings that make no sense. The error names flags, since an
// operator reads it.
func (c *Config) Validate() error {
	for _, t := range []struct {
		name string
		time time.Duration
	}{
		{"read-header-timeout", c.ReadHeaderTimeout}, {"read-timeout", c.ReadTimeout},
		{"write-timeout", c.WriteTimeout}, {"idle-timeout", c.IdleTimeout},
	} {
		// Without a bound, slow clients take all connections and keep them.
		if t.time <= 0 {
			return fmt.Errorf("-%s %s is not above zero", t.name, t.time)
		}
	}
	for _, l := range []struct {
		name             string
		value, low, high int64
	}{
		{"max-body", c.MaxBody, 1, 1 << 30},
		{"max-batch-body", c.MaxBatchBody, 1, 1 << 30},
		{"max-batch-items", int64(c.MaxBatchItems), 1, 1_000_000},
		{"max-header-bytes", int64(c.MaxHeaderBytes), 1 << 10, 1 << 20},
		{"max-header-fields", int64(c.MaxHeaderFields), 1, 10_000},
	} {
		if l.value < l.low || l.value > l.high {
			return fmt.Errorf("-%s %d is not from %d to %d", l.name, l.value, l.low, l.high)
		}
	}
	switch {
	case c.Listen == nil || c.Load == nil || c.Logger == nil:
		return errors.New("server: Config needs Listen, Load and Logger")
	case c.AccessRate != 0 && c.AccessLog == nil:
		return errors.New("server: Config has an AccessRate and no AccessLog")
	case c.MaxConnAge < 0:
		return fmt.Errorf("-max-conn-age %s is below zero", c.MaxConnAge)
	case len(c.HealthSocket) > maxHealthSocket:
		return fmt.Errorf("-health-socket has %d bytes, more than %d", len(c.HealthSocket),
			maxHealthSocket)
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errors.New("-tls-cert and -tls-key go together")
	case c.Docs != DocsOpen && c.Docs != DocsKey && c.Docs != DocsOff:
		return fmt.Errorf("-docs %q is not open, key or off", c.Docs)
	case c.Docs == DocsKey && c.KeysFile == "":
		return errors.New("-docs key needs -api-keys")
	case c.RateLimit.Requests == 0 && c.RateBurst > 0:
		return errors.New("-rate-burst needs -rate-limit")
	case c.CalibrationDays < 0:
		return fmt.Errorf("-calibration-days %d is negative", c.CalibrationDays)
	}
	if strings.Trim(strings.ToLower(c.ModelName), "abcdefghijklmnopqrstuvwxyz0123456789-._") != "" ||
		strings.Trim(c.ModelName, ".") == "" {
		return fmt.Errorf("-model-name %q: a name has letters, digits and - . _", c.ModelName)
	}
	return checkRoot(c.RootPath)
}

// wanted is what the memory is planned for, if descriptors allow so many connections.
func (c *Config) wanted(conns int) limits.Wanted {
	return limits.Wanted{Conns: conns, Extra: fastlane.MaxLeaving, CacheBytes: c.CacheBytes,
		Memory: c.MemoryLimit, HTTP2: c.H2C || c.TLSCert != "", TLS: c.TLSCert != "",
		Rates: c.RateLimit.Requests > 0}
}

// Info is what a Server says of itself when it is ready.
type Info struct {
	Addr, AdminAddr string // as listened on; AdminAddr is empty without that port
	Model           *model.Model
	Market          *market.Market
	MaxConns        int
	CacheBytes      int64
	HeldBytes       int64 // the most that clients can make the server hold
	MaxBatchBody    int64
	FastLane        bool
}
