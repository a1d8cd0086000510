package server

import "runtime/debug"

// version is that of a release, which only its build knows:
//
//	go build -ldflags "-X tickercast/predict/server.version=1.2.0" .
var version string

// Version returns the version of the release. Without one it is the module's version, or the commit
// if the binary was built from one.
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (v == "" || v == "(devel)") {
			v = s.Value
		}
	}
	return v
}
