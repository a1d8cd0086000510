// Package deploy holds the Kubernetes objects of the kit in this folder as the program prints them:
// what kustomize makes of kubernetes/base and of kubernetes/overlays/small. A test of the module in
// check renders both again and compares.
//
// It is no kustomize: it can only fill in an image and a namespace. All else is a patch of the kit.
package deploy

import (
	_ "embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// DefaultImage is the image that the overlay small names.
const DefaultImage = "tickercast:1.0.0"

//go:embed rendered/base.yaml
var base string

//go:embed rendered/small.yaml
var small string

// Options say what to print.
type Options struct {
	Small     bool   // one replica, without an autoscaler and a disruption budget
	Image     string // of the container
	Namespace string // of all objects; if empty, that of who applies them
}

var (
	// A reference as container registries define it: a host, a path, a tag and a digest, of which
	// only the path must be there.
	reference = regexp.MustCompile(`^(?:` + host + `/)?` + path + `(?:/` + path + `)*` +
		`(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`)
	label = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$`)
)

const (
	host = `(?:` + part + `(?:\.` + part + `)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?`
	part = `[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?`
	path = `[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`
)

// Manifests returns the objects as YAML documents.
func Manifests(o Options) (string, error) {
	if !reference.MatchString(o.Image) {
		return "", fmt.Errorf("image %q: want a reference such as registry.example.com/tickercast:1.2.0",
			o.Image)
	}
	if o.Namespace != "" && !label.MatchString(o.Namespace) {
		return "", fmt.Errorf("namespace %q: want at most 63 lower-case letters, digits and dashes",
			o.Namespace)
	}
	text := base
	if o.Small {
		text = small
	}
	var b strings.Builder
	section := ""
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, " ") {
			section = strings.TrimSuffix(line, "\n")
		}
		// Values are quoted, since a bare 1e3 or on is no string in YAML.
		if before, _, ok := strings.Cut(line, "image: "); ok {
			line = before + "image: " + strconv.Quote(o.Image) + "\n"
		}
		b.WriteString(line)
		if section == "metadata:" && strings.HasPrefix(line, "  name: ") && o.Namespace != "" {
			b.WriteString("  namespace: " + strconv.Quote(o.Namespace) + "\n")
		}
	}
	return b.String(), nil
}
