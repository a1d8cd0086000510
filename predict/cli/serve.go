package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"tickercast/model/source"
	"tickercast/predict/internal/cors"
	"tickercast/predict/internal/limits"
	"tickercast/predict/internal/logging"
	"tickercast/predict/internal/ratelimit"
	"tickercast/predict/internal/systemd"
	"tickercast/predict/server"
)

// serve fills in a server's Config and runs it. Each flag is also an environment variable.
func (e *env) serve(set *flag.FlagSet) func(context.Context, []string) error {
	cfg := server.Default()
	data := dataFlags(set)
	asked := serveFlags(set, &cfg)
	return func(ctx context.Context, _ []string) error {
		if data.Prices == "-" {
			return usagef("-prices - is for commands: a server reads its prices again and again")
		}
		if err := refuseNegative(set); err != nil {
			return err
		}
		if err := e.usePort(set, &cfg.Addr); err != nil {
			return err
		}
		e.useServiceName(set, &cfg.ModelName)
		if err := e.useSockets(&cfg); err != nil {
			return err
		}
		if err := cmp.Or(refusePort("addr", cfg.Addr),
			refusePort("admin-addr", cfg.AdminAddr)); err != nil {
			return err
		}
		var stop func()
		cfg.Signals, stop = server.Notify()
		defer stop()
		bar := e.progress()
		defer bar.done()
		data.Progress = bar.count
		log := logging.NewHandler(bar.over(e.stderr), e.logFormat(e.stderr))
		access := logging.NewHandler(bar.over(e.stdout), e.logFormat(e.stdout))
		defer closeLogs(log, access)
		cfg.Logger, cfg.AccessLog = slog.New(log), access
		if !*asked && isTerminal(e.stdout) {
			cfg.AccessRate = logging.Watched
		}
		data.Patience = 30 * time.Second
		loader := source.NewLoader(*data)
		cfg.Load, cfg.Watch = loader.Load, loader.Watch()
		var err error
		if cfg.MemoryLimit, err = limits.SetMemory(); err != nil {
			return err
		}
		cfg.Manager = systemd.NewNotifier(e.getenv,
			func(err error) { cfg.Logger.Warn("no word to the service manager", "error", err.Error()) })
		// After the line that says where, which programs read, or else in the end.
		warn := sync.OnceFunc(func() { e.warnOfStrays(cfg.Logger) })
		defer warn()
		cfg.OnReady = func(i server.Info) { bar.done(); e.announce(&cfg, i); warn() }
		if err := cfg.Validate(); err != nil {
			return usagef("%v", err)
		}
		s, err := server.New(cfg)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		go limits.GiveBack(ctx) // of the process, so it is not the server's
		return s.Run(ctx)
	}
}

// serveFlags declares the flags of serve, whose defaults are what cfg holds. It returns whether
// someone has set the access log.
func serveFlags(set *flag.FlagSet, cfg *server.Config) (asked *bool) {
	asked = new(bool)
	set.StringVar(&cfg.Addr, "addr", cfg.Addr, "`address` to serve on: host:port, of which port 0 "+
		"takes a free one, unix:/path or fd:N; without it, the port is that of the variable PORT")
	set.StringVar(&cfg.AdminAddr, "admin-addr", cfg.AdminAddr,
		"`address` of metrics, pprof and reload; empty: none")
	set.Func("socket-mode", "who may connect to a unix socket, as the octal `mode` of its file "+
		"(default 0660)", func(s string) error {
		mode, err := strconv.ParseUint(s, 8, 9)
		if err != nil {
			return errors.New("a mode has octal digits, as in 0660")
		}
		cfg.SocketMode = fs.FileMode(mode)
		return nil
	})
	set.StringVar(&cfg.HealthSocket, "health-socket", cfg.HealthSocket,
		"`name` of an abstract unix socket for healthcheck (Linux); empty: none")
	set.DurationVar(&cfg.MaxConnAge, "max-conn-age", cfg.MaxConnAge,
		"`time`, give or take a tenth, after which an HTTP/1 connection ends with an answer, so "+
			"that clients find new servers; 0: never")
	set.IntVar(&cfg.CacheEntries, "cache-entries", cfg.CacheEntries, "answers to keep")
	set.Int64Var(&cfg.CacheBytes, "cache-bytes", cfg.CacheBytes, "`bytes` of answers to keep")
	set.DurationVar(&cfg.CacheTTL, "cache-ttl", cfg.CacheTTL, "`time` to keep an answer")
	set.DurationVar(&cfg.DrainDelay, "drain-delay", cfg.DrainDelay,
		"`time` to go on accepting after SIGTERM, until balancers know")
	set.DurationVar(&cfg.Grace, "grace", cfg.Grace,
		"`time` that requests under way get to finish, once -drain-delay is over")
	set.DurationVar(&cfg.WatchInterval, "watch", cfg.WatchInterval,
		"how often to check the files for changes, as a `time`; 0 disables")
	set.IntVar(&cfg.MaxPriceAge, "max-price-age", cfg.MaxPriceAge,
		"trading `days` that prices may be old for /readyz to answer 200; 0: any age")
	set.IntVar(&cfg.CalibrationDays, "calibration-days", cfg.CalibrationDays,
		"last `sessions` to forecast again after each load and to hold against the closes that "+
			"came; 0: none")
	set.BoolVar(&cfg.KeepBetter, "keep-better", cfg.KeepBetter,
		"refuse to reload weights that do worse on the last sessions than those that are served, "+
			"by more than two standard errors")
	set.BoolVar(&cfg.RedactInput, "redact-input", cfg.RedactInput,
		"leave what the client sent out of a 422")
	set.StringVar(&cfg.Docs, "docs", cfg.Docs,
		"`who` gets /docs and /openapi.json: open for all, key for those with a key, or off")
	set.StringVar(&cfg.ModelName, "model-name", cfg.ModelName,
		"`name` of the model below /v2/models, where tickercast is one too; without it, the name is "+
			"that of the variable INFERENCE_SERVICE_NAME")
	set.StringVar(&cfg.RootPath, "root-path", cfg.RootPath,
		"`prefix` of all paths behind a proxy, such as /api; requests may come with or without it")
	set.BoolVar(&cfg.FastLane, "fastlane", cfg.FastLane,
		"answer plain requests of the most used routes without net/http")
	set.IntVar(&cfg.MaxConns, "max-conns", cfg.MaxConns,
		"maximum open connections, beyond which the longest idle makes room for a new one; 0: "+
			"derived from the descriptor and memory limits")
	set.Int64Var(&cfg.MaxBody, "max-body", cfg.MaxBody, "most `bytes` of a request's body")
	set.Int64Var(&cfg.MaxBatchBody, "max-batch-body", cfg.MaxBatchBody,
		"most `bytes` of the body of a batch or inference")
	set.IntVar(&cfg.MaxBatchItems, "max-batch-items", cfg.MaxBatchItems,
		"most `requests` in a batch or inference")
	set.IntVar(&cfg.MaxHeaderBytes, "max-header-bytes", cfg.MaxHeaderBytes,
		"most `bytes` of a request's head; 4 KiB more are let through")
	set.IntVar(&cfg.MaxHeaderFields, "max-header-fields", cfg.MaxHeaderFields,
		"most `fields` in a request's head")
	set.DurationVar(&cfg.ReadHeaderTimeout, "read-header-timeout", cfg.ReadHeaderTimeout,
		"`time` for a client to send the head of a request")
	set.DurationVar(&cfg.ReadTimeout, "read-timeout", cfg.ReadTimeout,
		"`time` for a client to send a whole request; 4 MiB within 5s is 800 kB/s")
	set.DurationVar(&cfg.WriteTimeout, "write-timeout", cfg.WriteTimeout,
		"`time` for a client to read its answer")
	set.DurationVar(&cfg.IdleTimeout, "idle-timeout", cfg.IdleTimeout,
		"`time` between two requests; longer than a balancer keeps its connections, so that it "+
			"closes them first")
	set.DurationVar(&cfg.BatchTimeout, "timeout", cfg.BatchTimeout,
		"`time` for a call that asks for many forecasts; 0: no limit")
	set.Func("access-log", "`requests` to log on stdout: off, all or 1/N at random (5xx "+
		"always; default off, on a terminal up to 20 a second)", func(s string) (err error) {
		*asked = true
		cfg.AccessRate, err = logging.ParseRate(s)
		return err
	})
	set.BoolVar(&cfg.AccessProbes, "access-log-probes", cfg.AccessProbes,
		"log probes of health too")
	set.StringVar(&cfg.KeysFile, "api-keys", "",
		"`file` of the SHA-256 hashes of accepted API keys, one a line, each followed by a name "+
			"(default: no key is needed)")
	set.Func("rate-limit", "`requests` a client may make a second, minute or hour: N/s, N/m or "+
		"N/h; N is N/s; a client is a key or else an address, so without -trusted-proxies all "+
		"clients of a proxy are one (default no limit)", func(s string) (err error) {
		cfg.RateLimit, err = ratelimit.ParseRate(s)
		return err
	})
	set.IntVar(&cfg.RateBurst, "rate-burst", 0,
		"requests a client may make at once; 0: one period's worth of -rate-limit")
	set.Func("trusted-proxies", "`networks` of proxies, such as 10.0.0.0/8,fd00::/8, or unix "+
		"for those on a unix socket; the access log then has the client's address that they append "+
		"to X-Forwarded-For, and -rate-limit and the bound on a client's memory count it (default "+
		"none)",
		func(s string) (err error) {
			cfg.TrustedProxies, err = ratelimit.ParseProxies(s)
			return err
		})
	set.Func("cors-origins", "`origins` of web pages that may call the API, such as "+
		"https://a.example,https://b.example, or * (default none)", func(s string) error {
		cfg.CORSOrigins = strings.Split(s, ",")
		_, err := cors.New(cfg.CORSOrigins)
		return err
	})
	set.StringVar(&cfg.TLSCert, "tls-cert", "",
		"`file` of the certificate and its chain, PEM; then only HTTPS is served, with HTTP/2")
	set.StringVar(&cfg.TLSKey, "tls-key", "", "`file` of the certificate's key, PEM")
	set.BoolVar(&cfg.H2C, "h2c", cfg.H2C,
		"serve HTTP/2 without TLS to clients that begin with it")
	set.StringVar(&cfg.AdminTokenFile, "admin-token-file", "",
		"`file` of the token that requests to -admin-addr must carry; probes need none; an "+
			"-admin-addr that other hosts can reach must have one")
	return asked
}

// refuseNegative names a number or time below zero: no flag of serve has a meaning for one.
func refuseNegative(set *flag.FlagSet) (err error) {
	set.VisitAll(func(f *flag.Flag) {
		v := f.Value.String()
		if err == nil && strings.HasPrefix(v, "-") && strings.Trim(v, "-0123456789.nµmsh") == "" {
			err = usagef("-%s %s is below zero", f.Name, v)
		}
	})
	return err
}

// closeLogs writes what is queued. It gives up after a second, when nothing reads the log.
func closeLogs(handlers ...*logging.Handler) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, h := range handlers {
		h.Close(ctx)
	}
}
