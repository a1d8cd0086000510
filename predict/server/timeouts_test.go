package server

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTimeoutFlags gives a server that has little patience to clients that stop half-way.
func TestTimeoutFlags(t *testing.T) {
	const short = 300 * time.Millisecond
	head := "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
	whole := head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(aForecast), aForecast)
	for flag, sent := range map[string]string{
		"-read-header-timeout": head,
		"-read-timeout":        whole[:len(whole)-1],
		"-idle-timeout":        whole,
	} {
		for _, lane := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, lane %v", flag, lane), func(t *testing.T) {
				t.Parallel()
				p := start(t, flag, short.String(), fmt.Sprintf("-fastlane=%v", lane))
				c, err := net.Dial("tcp", p.addr)
				require.NoError(t, err)
				defer c.Close()
				began := time.Now()
				_, err = io.WriteString(c, sent)
				require.NoError(t, err)
				// before any other timeout
				require.NoError(t, c.SetReadDeadline(began.Add(2900*time.Millisecond)))
				answer, err := io.ReadAll(c)
				require.NoError(t, err, "read %q", answer)
				require.GreaterOrEqual(t, time.Since(began), short-10*time.Millisecond)
			})
		}
	}
}
