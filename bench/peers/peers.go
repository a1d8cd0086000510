//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"tickercast/bench"
	"tickercast/bench/peers/pyenv"
	"tickercast/bench/proc"
)

// A peer is one server to be measured.
type peer struct {
	name     string
	work     string                      // what it does for a request
	workload func(string) bench.Workload // nil means bench.Hit
	canned   bool                        // its replies are not forecasts
	prepare  prepareFunc
}

// A prepareFunc installs what a server needs, and returns how to start it and in which versions.
type prepareFunc func(context.Context, *setup) (cfg proc.Config, versions string, err error)

// subject is the server that all others are compared with.
const subject = "tickercast"

const (
	forecast = "forecast from cache"
	canned   = "canned reply"
)

// peers returns all servers of a road, the subject first, with the settings that each project
// recommends for production; where there are several, with those that were fastest here on one
// core. Only the first road has all of them.
func peers(road bench.Road) []peer {
	if road.Name == firstRoad {
		return allPeers()
	}
	of := []peer{
		{name: subject, work: forecast, prepare: tickercast()},
		{name: "nginx", work: canned, canned: true, prepare: nginx},
		{name: "net/http", work: canned, canned: true, prepare: inThisBinary("net/http")},
	}
	if road.Streams == 0 { // the others have no HTTP/2
		of = append(of,
			peer{name: "fasthttp", work: canned, canned: true, prepare: inThisBinary("fasthttp")},
			peer{name: fastAPI, work: forecast, prepare: python("fastapi", "bytes", uvicorn...)})
	}
	return of
}

// firstRoad is the one that all peers know.
const firstRoad = "post"

// fastAPI is the faster of the two FastAPI services.
const fastAPI = "FastAPI, cache of encoded answers"

func allPeers() []peer {
	return []peer{
		{name: subject, work: forecast, prepare: tickercast()},
		{name: "tickercast, no answer in cache", work: "forecast, computed", workload: bench.Miss,
			prepare: tickercast()},
		{name: "tickercast -fastlane=false", work: forecast,
			prepare: tickercast("-fastlane=false")},
		{name: "net/http", work: canned, canned: true, prepare: inThisBinary("net/http")},
		{name: "fasthttp", work: canned, canned: true, prepare: inThisBinary("fasthttp")},
		{name: "nginx", work: canned, canned: true, prepare: nginx},
		{name: "FastAPI", work: forecast, prepare: python("fastapi", "", uvicorn...)},
		{name: fastAPI, work: forecast,
			prepare: python("fastapi", "bytes", uvicorn...)},
		{name: "Flask", work: forecast, prepare: python("flask", "", gunicorn...)},
		{name: "Flask, cache of encoded answers", work: forecast,
			prepare: python("flask", "bytes", gunicorn...)},
		{name: "BentoML", work: forecast, prepare: python("bentoml", "", "bentoml", "serve",
			"bentoml_app:Forecast", "--host", "{host}", "--port", "{port}")},
	}
}

// One worker, since there is one core, with the event loop and parser of uvicorn[standard].
var uvicorn = []string{"uvicorn", "fastapi_app:app", "--host", "{host}", "--port", "{port}",
	"--workers", "1", "--loop", "uvloop", "--http", "httptools", "--no-access-log",
	"--log-level", "warning"}

// Threads, since the default worker closes every connection. Requests/s here: sync 1,400, gevent
// 3,000, gthread 4,800 with 4 threads and with 64, 4,500 with two workers.
var gunicorn = []string{"gunicorn", "flask_app:app", "--bind", "{addr}", "--workers", "1",
	"--worker-class", "gthread", "--threads", "4", "--log-level", "warning"}

func tickercast(flags ...string) prepareFunc {
	return func(_ context.Context, s *setup) (proc.Config, string, error) {
		if !s.road.TLS {
			return proc.Tickercast(s.binary, flags...), "", nil
		}
		cfg := proc.Tickercast(s.binary, append(flags, "-tls-cert", s.cert, "-tls-key", s.key)...)
		cfg.Ready = "https://{addr}/readyz"
		return cfg, "", nil
	}
}

// inThisBinary runs serveCanned.
func inThisBinary(name string) prepareFunc {
	return func(_ context.Context, s *setup) (proc.Config, string, error) {
		self, err := os.Executable()
		args := []string{self, "canned", name, "{addr}", strconv.Itoa(s.cannedBytes()), "", ""}
		if s.road.TLS {
			args[5], args[6] = s.cert, s.key
		}
		return proc.Config{Args: args, Ready: s.scheme() + "://{addr}/"}, cannedVersion(name), err
	}
}

func python(name, cache string, args ...string) prepareFunc {
	return func(ctx context.Context, s *setup) (proc.Config, string, error) {
		bin, err := pyenv.Make(ctx, s.cache, name, s.requirements(name), s.log)
		if err != nil {
			return proc.Config{}, "", err
		}
		cfg := proc.Config{
			Args: append([]string{filepath.Join(bin, args[0])}, args[1:]...),
			Dir:  s.apps,
			Env: []string{"FORECASTS=" + s.table, "CACHE=" + cache, "PYTHONDONTWRITEBYTECODE=1",
				"BENTOML_DO_NOT_TRACK=True"},
			Ready: s.scheme() + "://{addr}/health",
		}
		if s.road.TLS {
			cfg.Args = append(cfg.Args, "--ssl-certfile", s.cert, "--ssl-keyfile", s.key)
		}
		if name == "bentoml" {
			cfg.Ready = "http://{addr}/readyz"
		}
		versions, err := pyenv.Versions(ctx, bin, s.requirements(name))
		return cfg, versions, err
	}
}

func nginx(ctx context.Context, s *setup) (cfg proc.Config, versions string, err error) {
	path, err := findNginx()
	if err != nil {
		return cfg, "", err
	}
	version, err := exec.CommandContext(ctx, path, "-v").CombinedOutput()
	if err != nil {
		return cfg, "", fmt.Errorf("%s -v: %w", path, err)
	}
	_, number, _ := strings.Cut(strings.TrimSpace(string(version)), "nginx/")
	if cfg.Addr, err = proc.FreeAddr(); err != nil {
		return cfg, "", err
	}
	dir := filepath.Join(s.tmp, "nginx")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return cfg, "", err
	}
	conf := filepath.Join(dir, "nginx.conf")
	cfg.Args = []string{path, "-p", dir, "-e", "stderr", "-c", conf}
	cfg.Ready = s.scheme() + "://{addr}/"
	listen := cfg.Addr
	if s.road.TLS {
		listen += " ssl http2; ssl_certificate " + s.cert + "; ssl_certificate_key " + s.key
	}
	text := nginxConf(listen, bench.Canned(s.cannedBytes()))
	return cfg, "nginx " + number, os.WriteFile(conf, []byte(text), 0o644)
}

// nginxConf is for one core and for connections that stay open: by default nginx closes one after a
// thousand requests.
func nginxConf(listen string, reply []byte) string {
	return fmt.Sprintf(`daemon off;
worker_processes 1;
error_log stderr warn;
pid nginx.pid;
events { worker_connections 20000; }
http {
	access_log off;
	keepalive_requests 1000000000; client_body_buffer_size 64k;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	default_type application/json;
	server { listen %s; location / { return 200 '%s'; } }
}
`, listen, reply)
}
