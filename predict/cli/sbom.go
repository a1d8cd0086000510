package cli

import (
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"runtime/debug"
	"strings"

	"tickercast/predict/server"
)

// A bom is a bill of materials in the form of CycloneDX 1.6, as far as a Go binary knows it. It has
// no serial number and no time, so that equal binaries print equal bytes.
type bom struct {
	Format     string       `json:"bomFormat"`
	Spec       string       `json:"specVersion"`
	Version    int          `json:"version"`
	Metadata   bomMetadata  `json:"metadata"`
	Components []bomPackage `json:"components"`
}

type bomMetadata struct {
	Component bomPackage `json:"component"`
}

type bomPackage struct {
	Type    string `json:"type"`
	Ref     string `json:"bom-ref"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl"`
}

func newPackage(kind, path, version string) bomPackage {
	purl := "pkg:golang/" + path + "@" + url.QueryEscape(version)
	return bomPackage{kind, purl, path, version, purl}
}

// writeBOM lists what this binary was built from: the standard library, at the version of the
// compiler, and each module that it links.
func writeBOM(out io.Writer) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("this binary carries no record of what it was built from")
	}
	b := bom{Format: "CycloneDX", Spec: "1.6", Version: 1}
	b.Metadata.Component = newPackage("application", info.Main.Path, server.Version())
	b.Components = []bomPackage{newPackage("library", "std",
		strings.TrimPrefix(info.GoVersion, "go"))}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		b.Components = append(b.Components, newPackage("library", m.Path, m.Version))
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(b)
}
