package main

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// allowed lists what each package of ours may import of ours; a package that is not named may
// import none. The arrows run one way, from main down to the leaves.
var allowed = map[string][]string{
	"tickercast": {
		"predict", "predict/fastlane", "predict/metrics", "cache", "model", "model/calendar",
		"model/market", "model/calibrate", "model/train", "docs",
		"predict/accesslog", "predict/admission", "predict/apikey", "predict/asynclog",
		"predict/certs", "predict/cors", "predict/forwarded", "predict/limits",
		"predict/ratelimit",
	},
	"tickercast/predict": {"model", "model/market", "model/calendar", "cache",
		"predict/metrics"},
	"tickercast/model/calibrate": {"model", "model/market", "model/calendar"},
	"tickercast/model/source":    {"model", "model/market", "model/calibrate", "model/calendar"},
	"tickercast/model/train":     {"model", "model/market", "model/calibrate", "model/calendar"},
	// it makes the file that model/market embeds
	"tickercast/model/market/mksnapshot": {"model/market"},
	"tickercast/model":                   {"model/calendar"}, // dates of the training range
	"tickercast/model/market":            {"model/calendar"},
	"tickercast/bench": {"bench/load", "predict", "predict/fastlane", "model",
		"model/market", "model/calendar", "cache"},
}

// banned names imports of the standard library and who may have them all the same.
var banned = []struct {
	path, reason string
	except       []string
}{
	{"flag", "only commands read command lines", []string{"tickercast", "tickercast/bench", "tickercast/model/market/mksnapshot"}},
	// http.Server.ErrorLog is a *log.Logger
	{"log", "log/slog, so that every line is structured",
		[]string{"tickercast/predict/fastlane", "tickercast"}},
	{"unsafe", "each use needs a measured reason, said where it stands",
		[]string{"tickercast/predict/fastlane"}},
	{"reflect", "hand-written code says what it does", []string{"tickercast/cache"}},
	/* sizes of K and V, once */
	{"net/http", "a forecast is arithmetic", []string{"tickercast", "tickercast/predict",
		"tickercast/predict/fastlane", "tickercast/predict/metrics", "tickercast/predict/apikey",
		"tickercast/predict/cors", "tickercast/docs", "tickercast/bench"}},
	{"os", "data comes in as bytes and readers",
		[]string{"tickercast", "tickercast/model/market", "tickercast/model/market/mksnapshot",
			"tickercast/model/source", "tickercast/predict",
			"tickercast/predict/admission", "tickercast/predict/fastlane",
			"tickercast/predict/metrics",
			"tickercast/bench", "tickercast/bench/load"}}, /* admission: a pipe to itself */
}

type goPackage struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
}

func goList(t *testing.T, args ...string) (pkgs []goPackage) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go",
		append([]string{"list", "-json=ImportPath,Standard,Imports,Deps"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p goPackage
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	return pkgs
}

func TestImportsRunOneWay(t *testing.T) {
	for _, p := range goList(t, "./...") {
		if strings.HasPrefix(p.ImportPath, "tickercast/bench/") {
			continue
		}
		for _, imp := range p.Imports {
			if ours, ok := strings.CutPrefix(imp, "tickercast/"); ok &&
				!slices.Contains(allowed[p.ImportPath], ours) {
				t.Errorf("%s imports %s: not in the list of what it may import", p.ImportPath, imp)
			}
			for _, b := range banned {
				if imp == b.path && !slices.Contains(b.except, p.ImportPath) {
					t.Errorf("%s imports %s: %s", p.ImportPath, imp, b.reason)
				}
			}
		}
	}
}

func TestBinaryIsTheStandardLibraryAlone(t *testing.T) {
	for _, p := range goList(t, "-deps", ".") {
		if !p.Standard && p.ImportPath != "tickercast" &&
			!strings.HasPrefix(p.ImportPath, "tickercast/") {
			t.Errorf("the binary depends on %s", p.ImportPath)
		}
		if p.ImportPath == "tickercast/bench" ||
			strings.HasPrefix(p.ImportPath, "tickercast/bench/") {
			t.Errorf("the binary contains %s", p.ImportPath)
		}
	}
}

func TestModelNeedsNoNetwork(t *testing.T) {
	for _, p := range goList(t, "-deps", "./model", "./model/source", "./model/train") {
		if p.ImportPath == "net" {
			t.Error("the model's packages depend on net")
		}
	}
}
