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
	"tickercast/bench/proc"
)

// A peer is one server to be measured.
type peer struct {
	name    string
	work    string                 // what it does for a request
	mix     func(string) bench.Mix // nil is bench.Hit
	canned  bool                   // its replies are not forecasts
	prepare recipe
}

// A recipe installs what a server needs and says how it is started and which versions that starts.
type recipe func(context.Context, *kitchen) (dish, error)

// A dish is ready to be started. ADDR, or HOST and PORT, in its arguments and its URL stand for the
// address to listen on.
type dish struct {
	proc.Config
	versions string
}

// subject is the name of the server that all others are compared with.
const subject = "tickercast"

const (
	forecast = "forecast from cache"
	canned   = "canned reply"
)

// peers are all servers, the subject first. Settings are those that each project recommends for
// production, and where several are in use, those that were fastest here on one core.
func peers() []peer {
	return []peer{
		{name: subject, work: forecast, prepare: tickercast()},
		{name: "tickercast, no answer in cache", work: "forecast, computed", mix: bench.Miss,
			prepare: tickercast()},
		{name: "tickercast -fastlane=false", work: forecast,
			prepare: tickercast("-fastlane=false")},
		{name: "net/http", work: canned, canned: true, prepare: inThisBinary("net/http")},
		{name: "fasthttp", work: canned, canned: true, prepare: inThisBinary("fasthttp")},
		{name: "nginx", work: canned, canned: true, prepare: nginx},
		{name: "FastAPI", work: forecast, prepare: python("fastapi", "", uvicorn...)},
		{name: "FastAPI, cache of encoded answers", work: forecast,
			prepare: python("fastapi", "bytes", uvicorn...)},
		{name: "Flask", work: forecast, prepare: python("flask", "", gunicorn...)},
		{name: "Flask, cache of encoded answers", work: forecast,
			prepare: python("flask", "bytes", gunicorn...)},
		{name: "BentoML", work: forecast, prepare: python("bentoml", "", "bentoml", "serve",
			"bentoml_app:Forecast", "--host", "HOST", "--port", "PORT")},
	}
}

// One worker, since there is one core. The event loop and parser in C are what uvicorn[standard]
// installs.
var uvicorn = []string{"uvicorn", "fastapi_app:app", "--host", "HOST", "--port", "PORT",
	"--workers", "1",
	"--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"}

// Threads, since the default worker closes every connection: sync 1,400 requests/s here, gevent
// 3,000, gthread 4,800 with 4 threads and with 64, 4,500 with two workers.
var gunicorn = []string{"gunicorn", "flask_app:app", "--bind", "ADDR", "--workers", "1",
	"--worker-class", "gthread", "--threads", "4", "--log-level", "warning"}

func tickercast(flags ...string) recipe {
	return func(_ context.Context, k *kitchen) (dish, error) {
		args := append([]string{k.binary, "serve", "-addr", "ADDR", "-admin-addr", "",
			"-drain-delay", "0s"}, flags...)
		return dish{Config: proc.Config{Args: args, Ready: "http://ADDR/health"}}, nil
	}
}

func inThisBinary(kind string) recipe {
	return func(_ context.Context, k *kitchen) (dish, error) {
		self, err := os.Executable()
		args := []string{self, "canned", kind, "ADDR", strconv.Itoa(k.answerBytes)}
		return dish{proc.Config{Args: args, Ready: "http://ADDR/"}, cannedVersion(kind)}, err
	}
}

func python(name, cache string, args ...string) recipe {
	return func(ctx context.Context, k *kitchen) (dish, error) {
		bin, err := k.venv(ctx, name)
		if err != nil {
			return dish{}, err
		}
		versions, err := packages(ctx, bin, k.requirements(name))
		if err != nil {
			return dish{}, err
		}
		cfg := proc.Config{
			Args: append([]string{filepath.Join(bin, args[0])}, args[1:]...),
			Dir:  k.apps,
			Env: []string{"FORECASTS=" + k.table, "CACHE=" + cache, "PYTHONDONTWRITEBYTECODE=1",
				"BENTOML_DO_NOT_TRACK=True"},
			Ready: "http://ADDR/health",
		}
		if name == "bentoml" {
			cfg.Ready = "http://ADDR/readyz"
		}
		return dish{cfg, versions}, nil
	}
}

func nginx(ctx context.Context, k *kitchen) (dish, error) {
	path, err := k.findNginx(ctx)
	if err != nil {
		return dish{}, err
	}
	dir := filepath.Join(k.tmp, "nginx")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return dish{}, err
	}
	version, err := exec.CommandContext(ctx, path, "-v").CombinedOutput()
	if err != nil {
		return dish{}, fmt.Errorf("%s -v: %w", path, err)
	}
	_, number, _ := strings.Cut(strings.TrimSpace(string(version)), "nginx/")
	args := []string{path, "-p", dir, "-e", "stderr", "-c", filepath.Join(dir, "nginx.conf")}
	return dish{proc.Config{Args: args, Ready: "http://ADDR/"}, "nginx " + number}, nil
}

// nginxConf is for one core and for connections that stay: by default nginx closes one after a
// thousand requests.
func nginxConf(addr string, reply []byte) string {
	return fmt.Sprintf(`daemon off;
worker_processes 1;
error_log stderr warn;
pid nginx.pid;
events { worker_connections 20000; }
http {
	access_log off;
	keepalive_requests 1000000000;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
	default_type application/json;
	server {
		listen %s;
		location / { return 200 '%s'; }
	}
}
`, addr, reply)
}
