package cli

import (
	"context"
	"flag"
	"fmt"
	"strings"
)

// completion prints a script that completes commands and flags in a shell. It is made from the
// commands themselves, so it knows what they know.
func (e *env) completion(*flag.FlagSet) func(context.Context, []string) error {
	return func(_ context.Context, args []string) error {
		if len(args) != 1 {
			return usagef("name one shell: bash, zsh or fish")
		}
		var script string
		switch args[0] {
		case "bash":
			script = bashCompletion(e.words())
		case "zsh":
			script = "autoload -U +X bashcompinit && bashcompinit\n" + bashCompletion(e.words())
		case "fish":
			script = fishCompletion(e.words())
		default:
			return usagef("no completion for %q; there is one for bash, zsh and fish", args[0])
		}
		_, err := fmt.Fprint(e.stdout, script)
		return err
	}
}

// A word is a command with its flags, dashes included.
type word struct {
	command string
	flags   []string
}

func (e *env) words() (words []word) {
	for _, c := range commands() {
		set, _ := e.flags(c)
		w := word{command: c.name}
		set.VisitAll(func(f *flag.Flag) { w.flags = append(w.flags, "-"+f.Name) })
		words = append(words, w)
	}
	return words
}

func bashCompletion(words []word) string {
	var b strings.Builder
	b.WriteString("_tickercast() {\n\tlocal words\n\tcase \"${COMP_WORDS[1]}\" in\n")
	var names []string
	for _, w := range words {
		names = append(names, w.command)
		fmt.Fprintf(&b, "\t%s) words=%q ;;\n", w.command, strings.Join(w.flags, " "))
	}
	fmt.Fprintf(&b, "\tesac\n\t[ \"$COMP_CWORD\" = 1 ] && words=%q\n",
		strings.Join(append(names, "help"), " "))
	b.WriteString("\tCOMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n")
	b.WriteString("complete -o default -F _tickercast tickercast\n") // default: flags take files
	return b.String()
}

func fishCompletion(words []word) string {
	var b strings.Builder
	for _, w := range words {
		fmt.Fprintf(&b, "complete -c tickercast -n __fish_use_subcommand -a %s\n", w.command)
		for _, f := range w.flags {
			fmt.Fprintf(&b, "complete -c tickercast -n '__fish_seen_subcommand_from %s' -o %s\n",
				w.command, f[1:])
		}
	}
	return b.String()
}
