package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"tickercast/predict/accesslog"
	"tickercast/predict/admission"
	"tickercast/predict/cors"
	"tickercast/predict/forwarded"
	"tickercast/predict/limits"
	"tickercast/predict/ratelimit"
)

// defaultAdminAddr is loopback: what it answers is for operators alone.
const defaultAdminAddr = "127.0.0.1:9090"

// serveFlags are the settings of serve. Each but answerBytes is also an environment variable.
type serveFlags struct {
	source
	timeouts
	addr, adminAddr   string
	cacheEntries      int
	cacheBytes        int64
	ttl               time.Duration
	drainDelay, grace time.Duration
	watch             time.Duration
	redactInput       bool
	fastlane          bool
	maxConns          int
	timeout           time.Duration
	accessLog         accesslog.Rate
	apiKeys           string // files
	adminToken        string
	tlsCert, tlsKey   string
	rate              ratelimit.Rate
	burst             int
	proxies           forwarded.Proxies
	corsOrigins       []string // nil: no CORS
	h2c               bool
	// of large answers at once, by what memory there is; 0: the default of predict
	answerBytes int64
}

func (p *program) serve(set *flag.FlagSet) func(context.Context, []string) error {
	f := new(serveFlags)
	src := sourceFlags(set)
	set.StringVar(&f.addr, "addr", ":8080", "`address` to serve on; port 0 takes a free one")
	set.StringVar(&f.adminAddr, "admin-addr", defaultAdminAddr,
		"`address` of metrics, pprof and reload; empty for none")
	set.IntVar(&f.cacheEntries, "cache-entries", 1<<16, "answers to keep")
	set.Int64Var(&f.cacheBytes, "cache-bytes", 64<<20, "`bytes` of answers to keep")
	set.DurationVar(&f.ttl, "cache-ttl", time.Hour, "`time` to keep an answer")
	set.DurationVar(&f.drainDelay, "drain-delay", 5*time.Second,
		"`time` to go on accepting after SIGTERM, until balancers know")
	set.DurationVar(&f.grace, "grace", 10*time.Second, "`time` for requests in flight after that")
	set.DurationVar(&f.watch, "watch", 2*time.Second,
		"`interval` of looks at the files of prices and weights; 0 for none")
	set.BoolVar(&f.redactInput, "redact-input", false, "leave what the client sent out of a 422")
	set.BoolVar(&f.fastlane, "fastlane", true, "answer plain POST /predict without net/http")
	set.IntVar(&f.maxConns, "max-conns", 0,
		"connections at most; 0 for as many as there are descriptors and memory for")
	f.timeouts.flags(set)
	set.DurationVar(&f.timeout, "timeout", 2*time.Second,
		"`time` that a call for many forecasts may take; 0 for any")
	set.Func("access-log",
		"`which` answers to log on stdout: off, all, or 1/N at random and all that are 5xx "+
			"(default off)", func(s string) (err error) {
			f.accessLog, err = accesslog.ParseRate(s)
			return err
		})
	set.StringVar(&f.apiKeys, "api-keys", "",
		"`file` of SHA-256 hashes of the keys that may ask, one a line with a name behind it "+
			"(default no keys)")
	set.Func("rate-limit",
		"`requests` a client may make, N/s, N/m or N/h; a client is a key or else an address, "+
			"so without -trusted-proxies all behind a proxy are one (default no limit)",
		func(s string) (err error) {
			f.rate, err = ratelimit.ParseRate(s)
			return err
		})
	set.IntVar(&f.burst, "rate-burst", 0,
		"requests at once after a pause; 0 for those of one period of -rate-limit")
	set.Func("trusted-proxies",
		"`networks` of proxies, such as 10.0.0.0/8,fd00::/8: for -rate-limit the address of a "+
			"client behind them is the one that they wrote last into X-Forwarded-For (default none)",
		func(s string) (err error) {
			f.proxies, err = forwarded.Parse(s)
			return err
		})
	set.Func("cors-origins",
		"`origins` whose pages may ask, such as https://a.example,https://b.example, or * "+
			"(default none)", func(s string) error {
			f.corsOrigins = strings.Split(s, ",")
			_, err := cors.New(f.corsOrigins)
			return err
		})
	set.StringVar(&f.tlsCert, "tls-cert", "",
		"`file` of the certificate and its chain, PEM; then HTTPS alone is spoken, HTTP/2 too")
	set.StringVar(&f.tlsKey, "tls-key", "", "`file` of the certificate's key, PEM")
	set.BoolVar(&f.h2c, "h2c", false, "speak HTTP/2 without TLS to clients that begin with it")
	set.StringVar(&f.adminToken, "admin-token-file", "",
		"`file` of the token that the admin address asks for, but for probes; needed unless it "+
			"is loopback")
	return func(ctx context.Context, _ []string) error {
		f.source = *src
		if err := refuseNegative(set); err != nil {
			return err
		}
		if err := f.timeouts.check(); err != nil {
			return err
		}
		if err := f.checkRate(); err != nil {
			return err
		}
		return f.run(ctx, p)
	}
}

// refuseNegative names a number or time below zero: no flag of serve has a meaning for one.
func refuseNegative(set *flag.FlagSet) (err error) {
	set.VisitAll(func(f *flag.Flag) {
		if v := f.Value.String(); err == nil && strings.HasPrefix(v, "-") &&
			strings.Trim(v, "-0123456789.nµmsh") == "" {
			err = usagef("-%s %s is below zero", f.Name, v)
		}
	})
	return err
}

// run listens first, so that a port in use is told before a file is read, and is ready when the
// world is loaded and checked.
func (f *serveFlags) run(ctx context.Context, p *program) error {
	logs := p.logs()
	defer logs.close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop, hangup := catchSignals()
	defer signal.Stop(stop)
	defer signal.Stop(hangup)
	ln, err := listenPublic(ctx, f.addr)
	if err != nil {
		return err
	}
	defer ln.Close()
	adminLn, err := f.listenAdmin()
	if err != nil {
		return err
	}
	w, err := f.source.load(0)
	if err != nil {
		return err
	}
	memory := limitMemory()
	plan := limits.NewPlan(f.maxConns, f.cacheBytes, limits.Files(), memory)
	f.cacheBytes, f.answerBytes = plan.CacheBytes, plan.AnswerBytes
	s, err := f.newServing(w, logs.logger)
	if err != nil {
		return err
	}
	defer s.service.Close()
	lag, err := admission.NewLag()
	if err != nil {
		return err
	}
	defer lag.Close()
	s.brake = admission.NewBrake(costlyPerCore*runtime.GOMAXPROCS(0), costlyPatience, lag)
	s.access = accesslog.New(logs.access, f.accessLog)
	s.registerLogs(logs)
	public := f.newPublicServer(s)
	l := &lifecycle{
		logger:     logs.logger,
		drainDelay: f.drainDelay,
		grace:      f.grace,
		draining:   &s.draining,
		reload:     func(why string) { s.reloader.reload(why) },
		public:     public,
		conns:      &s.conns,
		lane:       s.lane(ln, public, f.usesLane(), plan.Conns),
		stop:       stop,
		hangup:     hangup,
	}
	if adminLn != nil {
		l.admin, l.adminListen = newHTTPServer(s.adminRoutes(), logs.logger), adminLn
		l.admin.WriteTimeout = 2 * time.Minute // a CPU profile is written at its end
	}
	if f.watch > 0 && s.reloader.watches() {
		go s.reloader.watch(ctx, f.watch)
	}
	p.announce(logs.logger, ln.Addr().String(), addrString(adminLn), w, "max_conns", plan.Conns,
		"cache_bytes", plan.CacheBytes, "memory_limit", memory, "fastlane", f.usesLane())
	w.warn(logs.logger)
	return l.run(ctx)
}

// usesLane reports whether the fast lane answers. Under TLS it would have to be a TLS server of its
// own.
func (f *serveFlags) usesLane() bool { return f.fastlane && f.tlsCert == "" }

// listenAdmin listens on the admin address. The default one may be another program's; then a free
// port will do, since nobody asked for that one.
func (f *serveFlags) listenAdmin() (net.Listener, error) {
	if f.adminAddr == "" {
		return nil, nil
	}
	ln, err := net.Listen("tcp", f.adminAddr)
	if f.adminAddr == defaultAdminAddr && errors.Is(err, syscall.EADDRINUSE) {
		ln, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return nil, fmt.Errorf("admin address: %w", err)
	}
	if err := f.checkAdmin(ln); err != nil {
		ln.Close()
		return nil, err
	}
	return ln, nil
}

func addrString(ln net.Listener) string {
	if ln == nil {
		return ""
	}
	return ln.Addr().String()
}
