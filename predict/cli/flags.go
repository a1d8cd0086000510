package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"tickercast/model/calendar"
	"tickercast/model/source"
)

// flags makes the flag set of a command and the func that runs it.
func (e *env) flags(cmd command) (*flag.FlagSet, func(context.Context, []string) error) {
	fs := flag.NewFlagSet(cmd.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // run prints errors, on one line
	fs.Usage = func() {}
	return fs, cmd.set(e, fs)
}

// parse sets flags from the environment, then from args, so that a flag beats the environment and
// that beats the default. Flags may follow other arguments.
func (e *env) parse(fs *flag.FlagSet, cmd command, args []string) (rest []string, err error) {
	if readsEnvironment(cmd) {
		if err := e.setFromEnvironment(fs); err != nil {
			return nil, err
		}
	}
	for {
		if err := fs.Parse(args); err == flag.ErrHelp {
			return nil, err
		} else if err != nil {
			return nil, usagef("%s%s", explain(fs, err), e.suggestFlag(fs, err))
		}
		if fs.NArg() == 0 {
			break
		}
		rest = append(rest, fs.Arg(0))
		args = fs.Args()[1:]
	}
	if cmd.args == "" && len(rest) > 0 {
		return nil, usagef("unexpected argument %q", rest[0])
	}
	return rest, nil
}

// isGiven reports whether a flag is on the command line. A variable does not count: it sets the
// default.
func isGiven(fs *flag.FlagSet, name string) (given bool) {
	fs.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}

// unexplained matches an error of package flag that says nothing of what a value should be.
var unexplained = regexp.MustCompile(`^(?:.* -([a-z0-9-]+): )?(parse error|value out of range)$`)

// explain puts the kind of value that a flag wants in place of "parse error". An error of parsing a
// command line names the flag itself.
func explain(fs *flag.FlagSet, err error) string {
	m := unexplained.FindStringSubmatch(err.Error())
	if m == nil || fs.Lookup(m[1]) == nil {
		return err.Error()
	}
	return strings.TrimSuffix(err.Error(), m[2]) + kindOf(fs.Lookup(m[1]))
}

// kindOf says in words what value a flag wants.
func kindOf(f *flag.Flag) string {
	var value any
	if g, ok := f.Value.(flag.Getter); ok {
		value = g.Get()
	}
	switch value.(type) {
	case time.Duration:
		return "a time needs a number and a unit, as in 5s"
	case bool:
		return "a switch is true or false"
	case int, int64:
		return "a whole number in digits is wanted, as in 1000"
	case float64:
		return "a number is wanted, as in 0.95"
	}
	return "a value of another form is wanted"
}

// dataFlags declares the flags that every command with a model shares.
func dataFlags(set *flag.FlagSet) *source.Config {
	c := priceFlags(set)
	set.Lookup("prices").Usage += " (default the embedded snapshot)"
	set.StringVar(&c.Weights, "weights", "", "`file` of weights (default the embedded ones)")
	set.BoolVar(&c.Calibrate, "calibrate", true,
		"correct the intervals by how many closes past intervals held, where the prices go "+
			"back far enough")
	return c
}

const pricesUsage = "`file`, folder or http(s) URL of prices, CSV or gzip; - is the standard " +
	"input of a command"

// priceFlags declares the flags of every command with prices.
func priceFlags(set *flag.FlagSet) *source.Config {
	c := new(source.Config)
	set.StringVar(&c.Prices, "prices", "", pricesUsage)
	set.StringVar(&c.AuthFile, "prices-auth-file", "", "`file` with the value of the "+
		"Authorization header for prices from a URL, read at each request (default none)")
	calendarFlag(set, &c.Calendar)
	set.BoolVar(&c.SkipBad, "skip-bad", false,
		"leave out rows and files of prices that are faulty, instead of refusing all")
	return c
}

// calendarFlag declares the calendar of the tickers in the prices.
func calendarFlag(set *flag.FlagSet, name *string) {
	*name = "auto"
	set.Func("calendar", "`name` of the trading calendar of all tickers: that of an exchange by "+
		"its ISO 10383 code, such as XLON, weekdays or 24/7; auto finds that of each ticker "+
		"(default auto)", func(s string) error {
		if _, err := source.FindCalendar(s); err != nil {
			return fmt.Errorf("%w%s", err, suggest(s, append(calendar.AllNames(), "auto")))
		}
		*name = s
		return nil
	})
}

func (e *env) suggestFlag(fs *flag.FlagSet, err error) string {
	_, name, ok := strings.Cut(err.Error(), "not defined: -")
	if !ok {
		return ""
	}
	var names []string
	fs.VisitAll(func(f *flag.Flag) { names = append(names, "-"+f.Name) })
	return suggest("-"+name, names)
}

// suggest returns `, did you mean "x"?` for the nearest of names, or "".
func suggest(got string, names []string) string {
	best, least := "", 3 // two edits are a slip, three make another word
	for _, n := range names {
		if d := editDistance(strings.ToLower(got), strings.ToLower(n)); d < least && d < len(n) {
			best, least = n, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// editDistance is Levenshtein's distance, over bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
