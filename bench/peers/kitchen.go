//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// kitchen is where servers are installed and started from.
type kitchen struct {
	opts   options
	log    io.Writer
	cache  string // kept: virtual environments
	tmp    string // of this run
	apps   string // the Python services
	binary string // tickercast

	table       string            // file with the forecasts that the Python services serve
	answers     map[string][]byte // of tickercast to the Hit mix, by request body
	answerBytes int               // their mean size

	running []*contender
}

// newKitchen finds or builds what does not depend on a peer.
func newKitchen(ctx context.Context, o options, log io.Writer) (*kitchen, error) {
	user, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	k := &kitchen{opts: o, log: log, cache: filepath.Join(user, "tickercast-peers"),
		binary: o.binary}
	if k.apps, err = filepath.Abs("apps"); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(k.apps, "forecasts.py")); err != nil {
		return nil, fmt.Errorf("run this in bench/peers, or with go -C bench/peers run . : %w", err)
	}
	if k.tmp, err = os.MkdirTemp("", "tickercast-peers"); err != nil {
		return nil, err
	}
	k.table = filepath.Join(k.tmp, "forecasts.json")
	if k.binary == "" {
		k.binary = filepath.Join(k.tmp, "tickercast")
		fmt.Fprintln(log, "building tickercast")
		cmd := exec.CommandContext(ctx, "go", "build", "-o", k.binary, ".")
		cmd.Dir, cmd.Env = filepath.Join(k.apps, "../../.."), append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			k.close()
			return nil, fmt.Errorf("building tickercast: %w: %s", err, out)
		}
	}
	return k, nil
}

func (k *kitchen) close() {
	for _, c := range k.running {
		c.server.Stop()
	}
	os.RemoveAll(k.tmp)
}

func (k *kitchen) requirements(app string) string {
	return filepath.Join(k.apps, app+"_requirements.txt")
}

// venv makes a virtual environment with the requirements of an app, or finds the one that an
// earlier run made for the same requirements, and returns its bin directory.
func (k *kitchen) venv(ctx context.Context, name string) (string, error) {
	requirements := k.requirements(name)
	b, err := os.ReadFile(requirements)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(k.cache, fmt.Sprintf("%s-%x", name, sha256.Sum256(b))[:len(name)+9])
	bin := filepath.Join(dir, "bin")
	done := filepath.Join(dir, "installed")
	if _, err := os.Stat(done); err == nil {
		return bin, nil
	}
	fmt.Fprintf(k.log, "installing %s in %s\n", name, dir)
	for _, args := range [][]string{
		{"python3", "-m", "venv", "--clear", dir},
		{filepath.Join(bin, "pip"), "install", "--quiet", "--disable-pip-version-check", "-r",
			requirements},
	} {
		if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w: %s", strings.Join(args[:min(3, len(args))], " "), err,
				lastLine(out))
		}
	}
	return bin, os.WriteFile(done, nil, 0o644)
}

// packages are the versions of what an app's requirements name, as "name version".
func packages(ctx context.Context, bin, requirements string) (string, error) {
	const list = `import importlib.metadata as m, platform, sys
print(", ".join([f"{n} {m.version(n)}" for n in open(sys.argv[1]).read().split()] + ["Python " + platform.python_version()]))`
	out, err := exec.CommandContext(ctx, filepath.Join(bin, "python"), "-c", list,
		requirements).Output()
	return strings.TrimSpace(string(out)), err
}

// findNginx looks where distributions put it; failing that it unpacks Debian's package into the
// cache directory.
func (k *kitchen) findNginx(ctx context.Context) (string, error) {
	unpacked := filepath.Join(k.cache, "nginx", "usr/sbin/nginx")
	for _, name := range []string{"nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx", unpacked} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return "", fmt.Errorf("nginx is not installed")
	}
	fmt.Fprintln(k.log, "downloading nginx")
	download := filepath.Join(k.tmp, "deb")
	if err := os.MkdirAll(download, 0o755); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "apt-get", "download", "nginx")
	cmd.Dir = download
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("nginx is not installed, and apt-get download nginx failed: %w: %s",
			err, lastLine(out))
	}
	debs, _ := filepath.Glob(filepath.Join(download, "*.deb"))
	if len(debs) != 1 {
		return "", fmt.Errorf("nginx is not installed, and apt-get downloaded %v", debs)
	}
	if out, err := exec.CommandContext(ctx, "dpkg-deb", "-x", debs[0],
		filepath.Join(k.cache, "nginx")).CombinedOutput(); err != nil {
		return "", fmt.Errorf("unpacking nginx: %w: %s", err, lastLine(out))
	}
	return unpacked, nil
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
