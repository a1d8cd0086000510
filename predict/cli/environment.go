package cli

import (
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tickercast/predict/internal/systemd"
	"tickercast/predict/server"
)

const envPrefix = "TICKERCAST_"

// readsEnvironment reports whether a command runs in containers, where flags come as variables.
func readsEnvironment(cmd command) bool { return cmd.name == "serve" || cmd.name == "healthcheck" }

// envName turns max-body into TICKERCAST_MAX_BODY.
func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// setFromEnvironment gives flags the values of their variables. Package flag does not count them as
// given.
func (e *env) setFromEnvironment(fs *flag.FlagSet) (err error) {
	fs.VisitAll(func(f *flag.Flag) {
		name := envName(f.Name)
		v := e.vars[name]
		// A compose file or manifest passes an unset variable on as an empty one.
		if v == "" || err != nil {
			return
		}
		if failed := f.Value.Set(v); failed != nil {
			why := failed.Error()
			if unexplained.MatchString(why) {
				why = kindOf(f)
			}
			err = usagef("%s=%q: %s", name, v, why)
		}
	})
	return err
}

// usePort makes PORT the port of an address that neither a flag nor a variable sets. Platforms such
// as Heroku and Cloud Run say by it where to listen.
func (e *env) usePort(fs *flag.FlagSet, addr *string) error {
	port := e.vars["PORT"]
	if port == "" || isGiven(fs, "addr") || e.vars[envName("addr")] != "" {
		return nil
	}
	if !isPort(port) {
		return usagef("PORT=%q: a port is a number up to 65535; -addr is used instead if it is "+
			"set", port)
	}
	*addr = ":" + port
	return nil
}

// useServiceName makes the variable by which KServe names a service the name of the model, if
// neither a flag nor a variable of our own does.
func (e *env) useServiceName(fs *flag.FlagSet, name *string) {
	service := e.vars["INFERENCE_SERVICE_NAME"]
	if service != "" && !isGiven(fs, "model-name") && e.vars[envName("model-name")] == "" {
		*name = service
	}
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// refusePort refuses a port in place of an address, which lacks only the colon.
func refusePort(name, addr string) error {
	if isPort(addr) {
		return usagef("-%s %q is a port without a colon, did you mean %q?", name, addr, ":"+addr)
	}
	return nil
}

// adminSocket is the name of a socket from a service manager that is for the admin address.
const adminSocket = "admin"

// useSockets takes the sockets that a service manager has opened in place of addresses.
func (e *env) useSockets(cfg *server.Config) error {
	sockets, err := systemd.Sockets(e.getenv, os.Getpid())
	if err != nil {
		return usagef("%v", err)
	}
	taken := map[*string]bool{}
	for _, s := range sockets {
		addr := &cfg.Addr
		if s.Name == adminSocket {
			addr = &cfg.AdminAddr
		}
		if taken[addr] {
			return usagef("the service manager hands over %d sockets: want one, and one with "+
				"FileDescriptorName=%s for the admin address", len(sockets), adminSocket)
		}
		*addr, taken[addr] = fmt.Sprintf("fd:%d", s.FD), true
	}
	return nil
}

func (e *env) getenv(name string) string { return e.vars[name] }

// A stray is a variable with the program's prefix that stands for no flag.
type stray struct{ name, nearest string }

// strays lists them, each with the variable that is spelled most like it.
func (e *env) strays() (all []stray) {
	var known []string
	for _, cmd := range commands() {
		if readsEnvironment(cmd) {
			fs, _ := e.flags(cmd)
			fs.VisitAll(func(f *flag.Flag) { known = append(known, envName(f.Name)) })
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.vars)) {
		if strings.HasPrefix(name, envPrefix) && e.vars[name] != "" &&
			!slices.Contains(known, name) && !isServiceLink(name, e.vars[name]) {
			nearest := slices.MinFunc(known, func(a, b string) int {
				return editDistance(name, a) - editDistance(name, b)
			})
			all = append(all, stray{name, nearest})
		}
	}
	return all
}

func (e *env) warnOfStrays(log *slog.Logger) {
	for _, s := range e.strays() {
		log.Warn("a variable that stands for no flag is ignored", "variable", s.name, "nearest",
			s.nearest)
	}
}

// serviceLink matches the variables that Kubernetes, and Docker's links, set in every container for
// a service whose name begins with tickercast.
var serviceLink = regexp.MustCompile(`_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|` +
	`PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$`)

func isServiceLink(name, value string) bool {
	// One that only ends in _PORT is an address there, but may also be a port that someone has set.
	return serviceLink.MatchString(name) ||
		strings.HasSuffix(name, "_PORT") && strings.Contains(value, "://")
}
