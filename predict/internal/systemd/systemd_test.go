package systemd_test

import (
	"fmt"
	"net"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"tickercast/predict/internal/systemd"
)

func vars(pairs ...string) func(string) string {
	return func(name string) string {
		if i := slices.Index(pairs, name); i >= 0 && i%2 == 0 {
			return pairs[i+1]
		}
		return ""
	}
}

func TestSockets(t *testing.T) {
	for _, tt := range []struct {
		pid, fds, names string
		want            string
		fails           bool
	}{
		{"", "", "", "[]", false},
		{"7", "2", "", "[]", false}, // of another process
		{"42", "0", "", "[]", false},
		{"42", "1", "", "[{3 }]", false},
		{"42", "2", "tickercast.socket:admin", "[{3 tickercast.socket} {4 admin}]", false},
		{"42", "3", "a", "[{3 a} {4 } {5 }]", false},
		{"42", "1", "a:b:c", "[{3 a}]", false},
		{"42", "", "", "", true},
		{"42", "two", "", "", true},
		{"42", "-1", "", "", true},
		{"42", "999999999", "", "", true},
	} {
		got, err := systemd.Sockets(vars("LISTEN_PID", tt.pid, "LISTEN_FDS", tt.fds,
			"LISTEN_FDNAMES", tt.names), 42)
		if (err != nil) != tt.fails || err == nil && fmt.Sprint(got) != tt.want {
			t.Errorf("%+v: got %v, %v", tt, got, err)
		}
	}
}

// manager listens as a service manager does.
func manager(t *testing.T, name string) (next func() string) {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return func() string {
		b := make([]byte, 4096)
		n, err := conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
}

func TestNotifier(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("service managers of this protocol are on Linux")
	}
	for _, name := range []string{filepath.Join(t.TempDir(), "notify"),
		fmt.Sprintf("@tickercast-test-%p", t)} {
		next := manager(t, name)
		n := systemd.NewNotifier(vars("NOTIFY_SOCKET", name),
			func(err error) { t.Error(err) })
		n.Ready("good\nSTOPPING=1")
		if got := next(); got != "READY=1\nSTATUS=good STOPPING=1" {
			t.Errorf("ready: %q", got)
		}
		n.Reloading()
		n.Reloading()
		var first, second int64
		const format = "RELOADING=1\nMONOTONIC_USEC=%d\nSTATUS=reloading"
		for _, at := range []*int64{&first, &second} {
			if got := next(); !parses(got, format, at) {
				t.Errorf("reloading: %q", got)
			}
		}
		if first <= 0 || second < first {
			t.Errorf("the clock goes from %d to %d", first, second)
		}
		n.Stopping()
		if got := next(); !strings.HasPrefix(got, "STOPPING=1\n") {
			t.Errorf("stopping: %q", got)
		}
	}
}

func parses(text, format string, into *int64) bool {
	n, err := fmt.Sscanf(text, format, into)
	return n == 1 && err == nil
}

func TestNoManager(t *testing.T) {
	for _, name := range []string{"", "relative", "vsock:2:1234"} {
		systemd.NewNotifier(vars("NOTIFY_SOCKET", name),
			func(err error) { t.Errorf("%q: %v", name, err) }).Ready("")
	}
	failed := 0
	systemd.NewNotifier(vars("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "gone")),
		func(error) { failed++ }).Ready("")
	if failed != 1 {
		t.Errorf("%d errors of a manager that does not listen, want 1", failed)
	}
	var none *systemd.Notifier
	none.Ready("nothing to tell")
}
