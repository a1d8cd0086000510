// Tickercast serves calibrated stock price forecasts over HTTP from one static binary, and trains,
// judges and swaps the model behind them.
//
// It is not a trading system, a data vendor or a distributed cache: an answer is a pure function of
// weights, prices and request, so any number of copies agree.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	p := program{
		stdout: os.Stdout,
		stderr: os.Stderr,
		getenv: os.LookupEnv,
	}
	os.Exit(p.run(context.Background(), os.Args[1:]))
}

// A program is what a command may touch of the world outside.
type program struct {
	stdout, stderr io.Writer
	getenv         func(string) (string, bool)
}

// A command is one verb of the command line. Its set declares the flags and returns the func to
// call once they are parsed, with the arguments that are no flags.
type command struct {
	name    string
	args    string // of the usage line
	summary string
	set     func(*program, *flag.FlagSet) func(ctx context.Context, args []string) error
}

func commands() []command {
	return []command{
		{"serve", "", "answer forecasts over HTTP (the default)", (*program).serve},
		{"predict", "TICKER... | all", "print forecasts", (*program).predict},
		{"train", "", "fit weights to a file of prices", (*program).train},
		{"evaluate", "", "judge a model on prices, walk-forward, against baselines",
			(*program).evaluate},
		{"snapshot", "", "pack the last closes of a file of prices for embedding",
			(*program).snapshot},
		{"healthcheck", "", "ask a running server whether it is healthy", (*program).healthcheck},
		{"openapi", "", "print the OpenAPI document", (*program).openapi},
		{"completion", "bash | zsh | fish", "print a script that completes commands and flags",
			(*program).completion},
		{"version", "", "print the versions of the binary, its weights and its prices",
			(*program).version},
	}
}

// errUsage marks an error in how a command was called: exit status 2, not 1.
var errUsage = errors.New("usage")

func usagef(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUsage, fmt.Sprintf(format, args...))
}

// run executes one command line and returns the exit status: 0, 1 for a failure that is told in one
// line on stderr, 2 for a command line that makes no sense, 130 for work that a person interrupted.
func (p *program) run(ctx context.Context, args []string) int {
	if len(args) > 0 && (args[0] == "-version" || args[0] == "--version") {
		args[0] = "version" // what people try first
	}
	name := "serve"
	if len(args) > 0 && (!strings.HasPrefix(args[0], "-") || isHelp(args[0])) {
		name, args = args[0], args[1:]
	}
	if name == "help" || isHelp(name) {
		return p.help(args)
	}
	cmd, ok := find(name)
	if !ok {
		fmt.Fprintf(p.stderr, "tickercast: unknown command %q%s; see tickercast help\n", name,
			suggest(name, commandNames()))
		return 2
	}
	fs, do := p.flags(cmd)
	rest, err := p.parse(fs, cmd, args)
	if err == nil {
		err = do(ctx, rest)
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		usage(p.stdout, cmd, fs)
		return 0
	case errors.Is(err, errUsage):
		msg := strings.TrimPrefix(err.Error(), errUsage.Error()+": ")
		fmt.Fprintf(p.stderr, "tickercast %s: %s; see tickercast help %s\n", cmd.name, msg,
			cmd.name)
		return 2
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(p.stderr, "tickercast %s: interrupted; nothing was written\n", cmd.name)
		return 130
	}
	fmt.Fprintf(p.stderr, "tickercast %s: %v\n", cmd.name, err)
	return 1
}

func find(name string) (command, bool) {
	for _, c := range commands() {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

func commandNames() (names []string) {
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return names
}

func isHelp(arg string) bool { return arg == "-h" || arg == "-help" || arg == "--help" }

func (p *program) help(args []string) int {
	if len(args) == 0 {
		fmt.Fprint(p.stdout,
			"Tickercast serves calibrated stock price forecasts.\n\nUsage: tickercast [command] "+
				"[flags]\n\n")
		for _, c := range commands() {
			fmt.Fprintf(p.stdout, "  %-12s %s\n", c.name, c.summary)
		}
		fmt.Fprint(p.stdout, "\ntickercast help COMMAND lists the flags of one.\n")
		return 0
	}
	cmd, ok := find(args[0])
	if !ok {
		fmt.Fprintf(p.stderr, "tickercast: unknown command %q%s; see tickercast help\n", args[0],
			suggest(args[0], commandNames()))
		return 2
	}
	fs, _ := p.flags(cmd)
	usage(p.stdout, cmd, fs)
	return 0
}
