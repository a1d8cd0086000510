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

// cannedVersion is the version of what serveCanned serves with.
func cannedVersion(kind string) string {
	if kind == "net/http" {
		return runtime.Version()
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if strings.HasSuffix(m.Path, "/"+kind) {
				return kind + " " + m.Version
			}
		}
	}
	return ""
}

// serveCanned answers everything on addr with a reply of so many bytes.
func serveCanned(kind, addr, bytes string) error {
	n, err := strconv.Atoi(bytes)
	if err != nil || n < 2 {
		return fmt.Errorf("no size of a reply: %q", bytes)
	}
	switch kind {
	case "net/http":
		return http.ListenAndServe(addr, bench.Reference(n))
	case "fasthttp":
		return fasthttp.ListenAndServe(addr, fasthttpReference(n))
	}
	return fmt.Errorf("no server called %q", kind)
}

func fasthttpReference(n int) fasthttp.RequestHandler {
	reply := bench.Canned(n)
	return func(ctx *fasthttp.RequestCtx) {
		ctx.SetContentType("application/json")
		ctx.Response.SetBodyRaw(reply)
	}
}
