// Package cli is the command line of tickercast: its commands, their flags and the exit status.
//
// It is no server and no model. A command reads flags, calls the package that does the work, and
// prints.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"tickercast/docs"
	"tickercast/model/source"
)

// Main executes the command line args, of which the first is the program's name, and returns the
// exit status: 0, 1 for a failure that one line on stderr explains, 2 for a command line that makes
// no sense, 130 for work that a person interrupted. environ has the variables as NAME=value.
func Main(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	e := env{stdout, stderr, map[string]string{}}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		e.vars[name] = value
	}
	return e.run(ctx, args[1:])
}

// An env is the process's output and environment, so that tests can replace them.
type env struct {
	stdout, stderr io.Writer
	vars           map[string]string
}

// A command is one verb of the command line. Its set func declares the flags and returns what to
// call once they are parsed, with the arguments that are not flags.
type command struct {
	name    string
	args    string // of the usage line
	summary string
	set     func(*env, *flag.FlagSet) func(ctx context.Context, args []string) error
	about   string // what else the help text says, in lines
}

func commands() []command {
	return []command{
		{"serve", "", "answer forecasts over HTTP (the default)", (*env).serve, ""},
		{"predict", "TICKER... | all", "print forecasts", (*env).predict, aboutPredict},
		{"check", "", "report what is understood of prices, and what is not", (*env).check, ""},
		{"train", "", "fit weights to a file of prices", (*env).train, aboutTrain},
		{"evaluate", "", "judge a model on prices, walk-forward, against baselines",
			(*env).evaluate, aboutEvaluate},
		{"healthcheck", "", "ask a running server whether it is healthy", (*env).healthcheck, ""},
		{"openapi", "", "print the OpenAPI document", (*env).openapi, ""},
		{"manifests", "", "print Kubernetes objects that run the server", (*env).manifests, ""},
		{"completion", "bash | zsh | fish", "print a script that completes commands, flags, " +
			"values and files", (*env).completion, aboutCompletion},
		{"version", "", "print the versions of the binary, its weights and its prices",
			(*env).version, ""},
	}
}

// errUsage marks an error in how a command was called: exit status 2, not 1.
var errUsage = errors.New("usage")

func usagef(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUsage, fmt.Sprintf(format, args...))
}

func (e *env) run(ctx context.Context, args []string) int {
	if len(args) > 0 && (args[0] == "-version" || args[0] == "--version") {
		args[0] = "version" // what people try first
	}
	if len(args) > 0 && args[0] == completeCommand {
		return e.complete(ctx, args[1:])
	}
	name := "serve"
	if len(args) > 0 && (!strings.HasPrefix(args[0], "-") || isHelp(args[0])) {
		name, args = args[0], args[1:]
	}
	if name == "help" || isHelp(name) {
		return e.help(args)
	}
	cmd, ok := find(name)
	if !ok {
		return e.unknown(name)
	}
	fs, do := e.flags(cmd)
	rest, err := e.parse(fs, cmd, args)
	if err == nil {
		err = do(ctx, rest)
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		usage(e.stdout, cmd, fs)
		return 0
	case errors.Is(err, errUsage):
		msg := strings.TrimPrefix(err.Error(), errUsage.Error()+": ")
		fmt.Fprintf(e.stderr, "tickercast %s: %s; see tickercast help %s\n", cmd.name, msg,
			cmd.name)
		return 2
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(e.stderr, "tickercast %s: interrupted; nothing was written\n", cmd.name)
		return 130
	}
	fmt.Fprintf(e.stderr, "tickercast %s: %s\n", cmd.name, oneLine(err))
	return 1
}

// oneLine is the text of an error without what a terminal would obey: it may name files that others
// have named.
func oneLine(err error) string {
	var b strings.Builder
	for _, r := range strings.ReplaceAll(err.Error(), "\n", "; ") {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

func find(name string) (command, bool) {
	for _, c := range commands() {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

// unknown reports a command that does not exist.
func (e *env) unknown(name string) int {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	likely := suggest(name, names)
	if likely == "" {
		likely = suggestCommand(name)
	}
	fmt.Fprintf(e.stderr, "tickercast: unknown command %q%s; see tickercast help\n", name, likely)
	return 2
}

// tickerLike matches what people write for tickers.
var tickerLike = regexp.MustCompile(`^\^?[A-Z0-9]{1,6}([.=/-][A-Z0-9]{1,5})?$`)

// suggestCommand returns the command that was meant by its argument only: a file of prices, an
// address or a ticker.
func suggestCommand(arg string) string {
	plain := oneLine(errors.New(arg))
	if _, err := os.Stat(arg); err == nil || strings.Contains(arg, "://") {
		return fmt.Sprintf(", did you mean %q?", "serve -prices "+plain)
	}
	if at := strings.LastIndexByte(arg, ':'); at >= 0 && isPort(arg[at+1:]) {
		return fmt.Sprintf(", did you mean %q?", "serve -addr "+plain)
	}
	known := tickerLike.MatchString(arg)
	if mk, err := (source.Config{}).Market(context.Background()); err == nil && !known {
		_, known = mk.Find([]byte(arg))
	}
	if known {
		return fmt.Sprintf(", did you mean %q?", "predict "+plain)
	}
	return ""
}

func isHelp(arg string) bool { return arg == "-h" || arg == "-help" || arg == "--help" }

func (e *env) help(args []string) int {
	if len(args) == 0 {
		fmt.Fprint(e.stdout, "Tickercast serves calibrated stock price forecasts.\n\n"+
			"Usage: tickercast [command] [flags]\n\n")
		for _, c := range commands() {
			fmt.Fprintf(e.stdout, "  %-12s %s\n", c.name, c.summary)
		}
		fmt.Fprintf(e.stdout, "  %-12s %s\n", "help", "print this, or the flags of a command")
		fmt.Fprint(e.stdout, "\nTo try it: tickercast, then open http://localhost:8080/docs.\n")
		return 0
	}
	cmd, ok := find(args[0])
	if !ok {
		return e.unknown(args[0])
	}
	fs, _ := e.flags(cmd)
	usage(e.stdout, cmd, fs)
	return 0
}

// openapi prints what GET /openapi.json answers, for generators of clients.
func (e *env) openapi(*flag.FlagSet) func(context.Context, []string) error {
	return func(context.Context, []string) error {
		_, err := e.stdout.Write(docs.JSON())
		return err
	}
}
