package server_test

import (
	"os"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

const simFile = "what loading depends on"

// disturbFile has the file that loading depends on vanish, be emptied, be replaced by a pipe
// without a writer, or change all the time. What was served goes on, a metric says what is wrong,
// until the file has come back and is loaded.
func (s *simulation) disturbFile() {
	const healthy = `tickercast_last_reload_successful{resource="prices"}`
	interval := 2 * time.Second // of the default configuration
	long := 10 * interval
	switch s.rnd.IntN(4) {
	case 0:
		require.NoError(s.t, os.Remove(s.file))
		time.Sleep(long)
	case 1:
		require.NoError(s.t, os.Truncate(s.file, 0))
		time.Sleep(long)
	case 2:
		require.NoError(s.t, os.Remove(s.file))
		require.NoError(s.t, mkfifo(s.file))
		time.Sleep(long)
	case 3:
		for n := range 12 {
			data := strings.Repeat("x", n+1)
			require.NoError(s.t, os.WriteFile(s.file, []byte(data), 0o644))
			time.Sleep(interval)
		}
	}
	if got := s.server.metric(healthy); got != "0" {
		s.errorf("%s is %q with a file that is not there or does not rest", healthy, got)
	}
	reasons, _ := s.server.public.get(s.t, "/readyz")
	require.Equal(s.t, 200, reasons)
	require.NoError(s.t, os.RemoveAll(s.file))
	replaceFile(s.t, s.file, simFile)
	time.Sleep(long)
	s.done.Store(s.begun.Load())
	if got := s.server.metric(healthy); got != "1" {
		s.errorf("%s is %q after the file has come back", healthy, got)
	}
}
