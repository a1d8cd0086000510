package cli

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// A group is flags of one purpose, under a title of a help text.
type group struct {
	title string
	flags []string
}

// groupsOf returns the groups of a command. Flags that are in none come last, without a title.
func groupsOf(cmd command) []group {
	if cmd.name != "serve" {
		return nil
	}
	return []group{
		{"Where it listens", []string{"addr", "admin-addr", "admin-token-file", "socket-mode",
			"health-socket", "root-path", "h2c", "fastlane"}},
		{"Prices and model", []string{"prices", "prices-auth-file", "skip-bad", "calendar",
			"weights", "calibrate", "model-name", "watch", "keep-better", "max-price-age", "calibration-days"}},
		{"Keys, browsers and documents", []string{"api-keys", "cors-origins", "docs",
			"redact-input"}},
		{"TLS", []string{"tls-cert", "tls-key"}},
		{"Limits of a client", []string{"rate-limit", "rate-burst", "trusted-proxies",
			"max-conns", "max-body", "max-batch-body", "max-batch-items", "max-header-bytes",
			"max-header-fields"}},
		{"Cache", []string{"cache-entries", "cache-bytes", "cache-ttl"}},
		{"Timeouts and the end", []string{"read-header-timeout", "read-timeout",
			"write-timeout", "idle-timeout", "timeout", "max-conn-age", "drain-delay", "grace"}},
		{"Log of requests", []string{"access-log", "access-log-probes"}},
	}
}

// usage writes the help text of a command.
func usage(w io.Writer, cmd command, fs *flag.FlagSet) {
	fmt.Fprintf(w, "Usage: tickercast %s", cmd.name)
	var all []string
	fs.VisitAll(func(f *flag.Flag) { all = append(all, f.Name) })
	if len(all) > 0 {
		fmt.Fprint(w, " [flags]")
	}
	if cmd.args != "" {
		fmt.Fprint(w, " "+cmd.args)
	}
	fmt.Fprintf(w, "\n\n%s\n", strings.ToUpper(cmd.summary[:1])+cmd.summary[1:])
	if cmd.about != "" {
		fmt.Fprintf(w, "\n%s\n", cmd.about)
	}
	for _, g := range groupsOf(cmd) {
		fmt.Fprintf(w, "\n%s:\n", g.title)
		for _, name := range g.flags {
			writeFlag(w, fs.Lookup(name))
			all = slices.DeleteFunc(all, func(n string) bool { return n == name })
		}
	}
	if len(all) > 0 {
		fmt.Fprintln(w, "\nFlags:")
	}
	for _, name := range all {
		writeFlag(w, fs.Lookup(name))
	}
	if readsEnvironment(cmd) {
		fmt.Fprintf(w, "\n%s\n", wrap(fmt.Sprintf("Each flag is also a variable, %s for -%s; a flag "+
			"beats it, and an empty one counts as not set.", envName("addr"), "addr"), 80, ""))
	}
}

// writeFlag writes a flag, what value it wants, what it is for and its default.
func writeFlag(w io.Writer, f *flag.Flag) {
	value, text := flag.UnquoteUsage(f)
	fmt.Fprintln(w, strings.TrimRight("  -"+f.Name+" "+value, " "))
	switch f.DefValue {
	case "", "0", "0s", "false":
	default:
		text += fmt.Sprintf(" (default %s)", shortTime(f.DefValue))
	}
	fmt.Fprintf(w, "      %s\n", wrap(text, 80, "      "))
}

// shortTime writes 1h0m0s as 1h, and what is no time as it is.
func shortTime(s string) string {
	if short, ok := strings.CutSuffix(s, "m0s"); ok {
		s = short + "m"
	}
	if short, ok := strings.CutSuffix(s, "h0m"); ok {
		s = short + "h"
	}
	return s
}

// wrap breaks text at blanks so that lines after an indent have a width.
func wrap(text string, width int, indent string) string {
	var b strings.Builder
	at := utf8.RuneCountInString(indent)
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case at+1+n > width:
			b.WriteString("\n" + indent)
			at = utf8.RuneCountInString(indent)
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}
