//go:build linux

package main

import (
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"tickercast/bench"
)

// cannedVersion is the version of the server that serveCanned runs.
func cannedVersion(name string) string {
	if name == "net/http" {
		return runtime.Version()
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if strings.HasSuffix(m.Path, "/"+name) {
				return name + " " + m.Version
			}
		}
	}
	return ""
}

// serveCanned answers every request on addr with a reply of the given size, over TLS if there are
// files of a certificate and its key.
func serveCanned(name, addr, size, cert, key string) error {
	n, err := strconv.Atoi(size)
	if err != nil || n < 2 {
		return fmt.Errorf("no size of a reply: %q", size)
	}
	switch {
	case name == "net/http" && cert != "":
		return http.ListenAndServeTLS(addr, cert, key, bench.Reference(n))
	case name == "net/http":
		return http.ListenAndServe(addr, bench.Reference(n))
	case name == "fasthttp" && cert != "":
		return fasthttp.ListenAndServeTLS(addr, cert, key, fasthttpReference(n))
	case name == "fasthttp":
		return fasthttp.ListenAndServe(addr, fasthttpReference(n))
	}
	return fmt.Errorf("no server called %q", name)
}

func fasthttpReference(n int) fasthttp.RequestHandler {
	reply := bench.Canned(n)
	return func(ctx *fasthttp.RequestCtx) {
		ctx.SetContentType("application/json")
		ctx.Response.SetBodyRaw(reply)
	}
}
