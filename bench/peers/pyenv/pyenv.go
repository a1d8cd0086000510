// Package pyenv makes virtual environments of Python for programs that are compared with
// tickercast. They stay in the user's cache directory. It does not install Python.
package pyenv

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

// Cache returns the directory that Make is to use.
func Cache() (string, error) {
	user, err := os.UserCacheDir()
	return filepath.Join(user, "tickercast-peers"), err
}

// Make returns the bin directory of a virtual environment with the packages of a requirements file.
// It keeps one in cache for each version of the file.
func Make(ctx context.Context, cache, name, requirements string, log io.Writer) (string, error) {
	b, err := os.ReadFile(requirements)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, fmt.Sprintf("%s-%x", name, sha256.Sum256(b))[:len(name)+9])
	bin := filepath.Join(dir, "bin")
	done := filepath.Join(dir, "installed")
	if _, err := os.Stat(done); err == nil {
		return bin, nil
	}
	fmt.Fprintf(log, "installing %s in %s\n", name, dir)
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

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

// Versions returns the versions of what a requirements file names, and that of Python.
func Versions(ctx context.Context, bin, requirements string) (string, error) {
	const list = `import importlib.metadata as m, platform, sys
names = [line.split("==")[0] for line in open(sys.argv[1]).read().split()]
print(", ".join([f"{n} {m.version(n)}" for n in names] + ["Python " + platform.python_version()]))`
	out, err := exec.CommandContext(ctx, filepath.Join(bin, "python"), "-c", list,
		requirements).Output()
	return strings.TrimSpace(string(out)), err
}
