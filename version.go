package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version prints what a report of a fault should start with.
func (p *program) version(set *flag.FlagSet) func(context.Context, []string) error {
	sbom := set.Bool("sbom", false, "print what the binary was built from, as CycloneDX JSON")
	return func(context.Context, []string) error {
		if *sbom {
			return writeBOM(p.stdout)
		}
		w, err := source{}.load(0)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "tickercast %s (%s, %s/%s)\n", buildVersion(), runtime.Version(),
			runtime.GOOS, runtime.GOARCH)
		fmt.Fprintf(p.stdout, "model      %s, trained on %s to %s\n", w.model.Version(),
			w.model.TrainedFrom(), w.model.TrainedTo())
		fmt.Fprintf(p.stdout, "prices     %d tickers as of %s\n", len(w.market.Tickers()),
			w.market.AsOf())
		return nil
	}
}

// buildVersion is the module's version, or the commit where it was built from one.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (v == "" || v == "(devel)") {
			v = s.Value
		}
	}
	return v
}
