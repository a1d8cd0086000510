package check

import (
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
)

// TestPricesOfAConfigMap changes a folder as the kubelet changes the volume of a ConfigMap: it
// makes a new folder beside the old one and moves a link to it in one step. The server must serve
// the new prices, and keep them when the next ones are faulty.
func TestPricesOfAConfigMap(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Base(pricesFile(t))
	publish := func(version, text string) {
		t.Helper()
		folder := filepath.Join(dir, "..version_"+version)
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		z := gzip.NewWriter(f)
		fmt.Fprint(z, text)
		z.Close()
		f.Close()
		next := filepath.Join(dir, "..data_tmp")
		if err := os.Symlink(filepath.Base(folder), next); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	publish("1", closes("2026-02-02"))
	if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	s := newServer(t)
	s.start(t, "-prices", filepath.Join(dir, name), "-watch", "20ms")
	s.await(t, "/model", `"as_of":"2026-02-02"`)
	publish("2", closes("2026-02-03"))
	s.await(t, "/model", `"as_of":"2026-02-03"`)
	publish("3", closes("2026-02-04")+"2026-02-05,ACME,minus one\n")
	s.await(t, "/readyz", `prices: the last reload was refused`)
	s.await(t, "/model", `"as_of":"2026-02-03"`)
	if status, body := s.get(t, s.addr, "/readyz"); status != 200 {
		t.Errorf("after faulty prices: got %d %s, want 200", status, body)
	}
}

// pricesFile is the path of the prices in the production overlay. Its folder must be mounted whole.
func pricesFile(t *testing.T) string {
	t.Helper()
	c := podOf(t, render(t, "overlays/production")).Containers[0]
	file := ""
	for _, env := range c.Env {
		if env.Name == "TICKERCAST_PRICES" {
			file = env.Value
		}
	}
	for _, m := range c.VolumeMounts {
		if m.MountPath == filepath.Dir(file) && m.SubPath == "" {
			return file
		}
	}
	t.Fatalf("%q is in none of the folders %v", file, mounts(c))
	return ""
}

func mounts(c core.Container) (paths []string) {
	for _, m := range c.VolumeMounts {
		paths = append(paths, m.MountPath)
	}
	return paths
}

// closes is a series of a hundred trading days that ends on a date.
func closes(last string) string {
	day, err := time.Parse(time.DateOnly, last)
	if err != nil {
		panic(err)
	}
	var b strings.Builder
	b.WriteString("date,ticker,close\n")
	for i := 140; i >= 0; i-- {
		if d := day.AddDate(0, 0, -i); d.Weekday() != time.Saturday && d.Weekday() != time.Sunday {
			fmt.Fprintf(&b, "%s,ACME,%d\n", d.Format(time.DateOnly), 100+(i*i)%7)
		}
	}
	return b.String()
}

// await asks until the answer contains a text. The server notices changed files by itself.
func (s *server) await(t *testing.T, path, text string) {
	t.Helper()
	body := ""
	for range 500 {
		if _, body = s.get(t, s.addr, path); strings.Contains(body, text) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s: got %s after 10 s, want %s in it", path, body, text)
}
