package cli

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"tickercast/model/calendar"
	"tickercast/model/source"
)

const (
	// completeCommand is what completion scripts call with the words of a command line up to the
	// one that is being written. It is for them only, so help does not list it.
	completeCommand = "__complete"
	// filesWanted stands for the files that a shell finds by itself.
	filesWanted = ":files"
)

// A choice is a word that fits, and what it means.
type choice struct{ word, meaning string }

// complete prints what fits in place of the last word, a line each: the word, a tab, its meaning.
func (e *env) complete(ctx context.Context, words []string) int {
	for _, c := range e.choices(ctx, words) {
		fmt.Fprintln(e.stdout, strings.TrimSuffix(c.word+"\t"+c.meaning, "\t"))
	}
	return 0
}

func (e *env) choices(ctx context.Context, words []string) []choice {
	if len(words) == 0 {
		return nil
	}
	words = joined(words)
	done, current := words[:len(words)-1], words[len(words)-1]
	name := "serve"
	if len(done) > 0 && !strings.HasPrefix(done[0], "-") {
		name, done = done[0], done[1:]
	} else if len(done) == 0 && !strings.HasPrefix(current, "-") {
		return matching(commandChoices(true), current)
	}
	if name == "help" {
		return matching(commandChoices(false), current)
	}
	cmd, ok := find(name)
	if !ok {
		return nil
	}
	set, _ := e.flags(cmd)
	if flag, value, ok := openFlag(set, done, current); ok {
		return matching(valuesOf(name, flag), value)
	}
	if strings.HasPrefix(current, "-") {
		return matching(flagChoices(set, current), current)
	}
	switch name {
	case "completion":
		return matching([]choice{{"bash", ""}, {"zsh", ""}, {"fish", ""}}, current)
	case "predict":
		return matching(tickerChoices(ctx, done), current)
	}
	return matching(flagChoices(set, current), current)
}

// joined undoes what bash does to -format=json, of which it makes three words.
func joined(words []string) (out []string) {
	for i, w := range words {
		n := len(out)
		switch {
		case w == "=" && n > 0 && strings.HasPrefix(out[n-1], "-"):
			out[n-1] += "="
		case i > 1 && words[i-1] == "=" && n > 0 && strings.HasSuffix(out[n-1], "="):
			out[n-1] += w
		default:
			out = append(out, w)
		}
	}
	return out
}

// openFlag returns the flag of which the current word is the value, and as much of that as is
// there.
func openFlag(set *flag.FlagSet, done []string, current string) (*flag.Flag, string, bool) {
	name, value, assigned := strings.Cut(current, "=")
	if !assigned {
		if len(done) == 0 {
			return nil, "", false
		}
		name, value = done[len(done)-1], current
	}
	if !strings.HasPrefix(name, "-") {
		return nil, "", false
	}
	f := set.Lookup(strings.TrimLeft(name, "-"))
	if f == nil || !assigned && isSwitch(f) {
		return nil, "", false
	}
	return f, value, true
}

func isSwitch(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// valuesOf lists the values of a flag that are words.
func valuesOf(command string, f *flag.Flag) (choices []choice) {
	if isSwitch(f) {
		return []choice{{"true", ""}, {"false", ""}}
	}
	if f.Name == "against" {
		choices = []choice{{"embedded", "the weights of this binary"}}
	}
	if kind, _ := flag.UnquoteUsage(f); kind == "file" {
		return append(choices, choice{word: filesWanted})
	}
	switch f.Name {
	case "format":
		choices = []choice{{"table", "for people"}, {"json", ""}}
		switch command {
		case "predict":
			choices = append(choices, choice{"csv", ""},
				choice{"answer", "the body that a server answers"})
		case "check":
			choices = append(choices, choice{"sum", "what stands for the prices in the access log"})
		case "evaluate":
			choices = append(choices, choice{"scores", "the short form that GET /model shows"})
		}
	case "access-log":
		choices = []choice{{"off", ""}, {"all", ""}, {"1/100", "one in a hundred, and every 5xx"}}
	case "docs":
		choices = []choice{{"open", "for all"}, {"key", "for those with a key"}, {"off", "for no one"}}
	case "calendar":
		for _, name := range append([]string{"auto"}, calendar.AllNames()...) {
			choices = append(choices, choice{name, ""})
		}
	}
	return choices
}

func commandChoices(first bool) (choices []choice) {
	for _, c := range commands() {
		choices = append(choices, choice{c.name, c.summary})
	}
	if first {
		choices = append(choices, choice{"help", "print the commands, or the flags of one"})
	}
	return choices
}

// flagChoices lists flags with as many dashes as the current word begins with.
func flagChoices(set *flag.FlagSet, current string) (choices []choice) {
	dashes := "-"
	if strings.HasPrefix(current, "--") {
		dashes = "--"
	}
	set.VisitAll(func(f *flag.Flag) {
		_, text := flag.UnquoteUsage(f)
		meaning, _, _ := strings.Cut(text, ";")
		meaning, _, _ = strings.Cut(meaning, " (default")
		choices = append(choices, choice{dashes + f.Name, meaning})
	})
	return choices
}

// mostToRead bounds a file of prices that is read for its tickers while someone waits.
const mostToRead = 8 << 20

// tickerChoices lists the tickers of the prices that the command line names.
func tickerChoices(ctx context.Context, done []string) []choice {
	var c source.Config
	for i, w := range done {
		if name, value, ok := strings.Cut(strings.TrimLeft(w, "-"), "="); w[:min(1, len(w))] == "-" &&
			name == "prices" {
			if !ok && i+1 < len(done) {
				value = done[i+1]
			}
			c.Prices = value
		}
	}
	choices := []choice{{"all", "every ticker"}}
	if c.Prices != "" {
		info, err := os.Stat(c.Prices)
		if err != nil || info.Size() > mostToRead {
			return choices
		}
	}
	mk, err := c.Market(ctx)
	if err != nil {
		return choices
	}
	for i := range mk.Tickers() {
		t := &mk.Tickers()[i]
		if !slices.Contains(done, t.Name) {
			choices = append(choices, choice{oneWord(t.Name),
				fmt.Sprintf("%.6g on %s", t.Close, t.AsOf)})
		}
	}
	return choices
}

// oneWord returns a name from a file, or nothing where a shell or a spreadsheet would take it for
// something else.
func oneWord(name string) string {
	if strings.ContainsAny(name, " \t'\"\\$`") || name != plainCell(name) {
		return ""
	}
	return name
}

// matching keeps what begins with a prefix, in any case, and files, which the shell picks.
func matching(choices []choice, prefix string) []choice {
	return slices.DeleteFunc(choices, func(c choice) bool {
		return c.word == "" || c.word != filesWanted && (len(c.word) < len(prefix) ||
			!strings.EqualFold(c.word[:len(prefix)], prefix))
	})
}
