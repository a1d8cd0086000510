package cli_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTritonClient and TestKServeClient ask a server by clients from PyPI. TICKERCAST_TRITON_PYTHON
// and TICKERCAST_KSERVE_PYTHON name a Python that has them.
func TestTritonClient(t *testing.T) { askByPython(t, "TICKERCAST_TRITON_PYTHON", "triton.py", "") }

func TestKServeClient(t *testing.T) {
	askByPython(t, "TICKERCAST_KSERVE_PYTHON", "kserve_sdk.py", "http://")
}

func askByPython(t *testing.T, variable, script, scheme string) {
	python := os.Getenv(variable)
	if python == "" {
		t.Skipf("%s names no Python with the client", variable)
	}
	p := startWithEnv(t, []string{"INFERENCE_SERVICE_NAME=prices"})
	out, err := exec.CommandContext(t.Context(), python, "testdata/"+script,
		scheme+p.addr).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "ok", strings.TrimSpace(string(out)))
}

// TestModelName: the flag and its own variable win over the one of KServe.
func TestModelName(t *testing.T) {
	if testing.Short() {
		t.Skip("processes")
	}
	for _, tt := range []struct {
		vars, flags []string
		want        string
	}{
		{nil, nil, "tickercast"},
		{[]string{"INFERENCE_SERVICE_NAME=prices"}, nil, "prices"},
		{[]string{"INFERENCE_SERVICE_NAME=prices", "TICKERCAST_MODEL_NAME=closes"}, nil, "closes"},
		{[]string{"INFERENCE_SERVICE_NAME=prices"}, []string{"-model-name", "tickercast"},
			"tickercast"},
	} {
		p := startWithEnv(t, tt.vars, tt.flags...)
		resp, err := http.Get("http://" + p.addr + "/v2/models")
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		require.NoError(t, err)
		require.Equal(t, `{"models":["`+tt.want+`"]}`, string(body), "%+v", tt)
	}
	status, _, stderr := runCommand(t, nil, "serve", "-model-name", "a/b")
	require.Equal(t, 2, status)
	require.Contains(t, stderr, `-model-name "a/b"`)
}

// TestBatchesCompressed asks for 30 days of many of the embedded tickers.
func TestBatchesCompressed(t *testing.T) {
	if testing.Short() {
		t.Skip("a process")
	}
	p := start(t)
	var list struct{ Tickers []struct{ Ticker string } }
	resp, err := http.Get("http://" + p.addr + "/tickers?limit=1000")
	require.NoError(t, err)
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&list))
	resp.Body.Close()
	for _, tickers := range []int{100, len(list.Tickers)} {
		var items, names []string
		for _, ticker := range list.Tickers[:tickers] {
			items = append(items, fmt.Sprintf(`{"ticker":%q,"days_ahead":30}`, ticker.Ticker))
			names = append(names, strconv.Quote(ticker.Ticker))
		}
		plain, zipped := p.askZipped(t, "/predict/batch",
			`{"requests":[`+strings.Join(items, ",")+`]}`)
		var answer struct{ Results []struct{ Predictions []any } }
		require.NoError(t, json.Unmarshal(plain, &answer))
		require.Len(t, answer.Results, tickers)
		require.Len(t, answer.Results[tickers-1].Predictions, 30)
		t.Logf("%d tickers: %d bytes, %d as gzip", tickers, len(plain), zipped)
		require.Less(t, zipped, len(plain)/6)
		if tickers == 100 {
			require.Less(t, zipped, 80_000)
			continue
		}
		plain, zipped = p.askZipped(t, "/v2/models/tickercast/infer", fmt.Sprintf(
			`{"inputs":[{"name":"ticker","datatype":"BYTES","shape":[%d],"data":[%s]},`+
				`{"name":"days_ahead","datatype":"INT8","shape":[1],"data":[30]}],`+
				`"outputs":[{"name":"date"},{"name":"predicted_price"}]}`, tickers,
			strings.Join(names, ",")))
		t.Logf("dates and prices of %d tickers: %d bytes, %d as gzip", tickers, len(plain), zipped)
		require.Less(t, zipped, 80_000)
	}
}

// askZipped returns the answer to a POST, which must come as gzip, and its length as such.
func (p *process) askZipped(t *testing.T, path, body string) (plain []byte, zipped int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+p.addr+path,
		strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "gzip", resp.Header.Get("Content-Encoding"), "%.200s", answer)
	z, err := gzip.NewReader(bytes.NewReader(answer))
	require.NoError(t, err)
	plain, err = io.ReadAll(z)
	require.NoError(t, err)
	return plain, len(answer)
}
