package cli

import (
	"context"
	"flag"
	"fmt"
	"runtime"

	"tickercast/model/source"
	"tickercast/predict/server"
)

// version prints what a bug report should start with.
func (e *env) version(set *flag.FlagSet) func(context.Context, []string) error {
	sbom := set.Bool("sbom", false, "print what the binary was built from, as CycloneDX JSON")
	return func(ctx context.Context, _ []string) error {
		if *sbom {
			return writeBOM(e.stdout)
		}
		m, mk, err := source.Config{}.Open(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "tickercast %s (%s, %s/%s)\n", server.Version(), runtime.Version(),
			runtime.GOOS, runtime.GOARCH)
		fmt.Fprintf(e.stdout, "model      %s, trained on %s to %s\n", m.Version(),
			m.TrainedFrom(), m.TrainedTo())
		fmt.Fprintf(e.stdout, "prices     %d tickers as of %s\n", len(mk.Tickers()),
			mk.AsOf())
		return nil
	}
}
