package main

import (
	"context"
	"flag"

	"tickercast/docs"
)

// openapi prints what GET /openapi.json answers, for generators of clients.
func (p *program) openapi(*flag.FlagSet) func(context.Context, []string) error {
	return func(context.Context, []string) error {
		_, err := p.stdout.Write(docs.JSON())
		return err
	}
}
