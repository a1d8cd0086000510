package predict_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tickercast/predict"
)

func TestRedactInput(t *testing.T) {
	h := newHandler(t, func(cfg *predict.Config) { cfg.RedactInput = true })
	for _, tt := range []struct{ path, body, want string }{
		{"/predict", `{"days_ahead":0}`,
			`{"detail":[{"type":"missing","loc":["body","ticker"],"msg":"Field required"},{"type":"greater_than_equal","loc":["body","days_ahead"],"msg":"Input should be greater than or equal to 1","ctx":{"ge":1}}]}`},
		{"/predict", `{`,
			`{"detail":[{"type":"json_invalid","loc":["body",1],"msg":"JSON decode error","ctx":{"error":"Expecting property name enclosed in double quotes"}}]}`},
		{"/predict/batch", `{"requests":[5]}`,
			`{"results":[{"error":{"status":422,"detail":[{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid dictionary or object to extract fields from"}]}}]}`},
	} {
		if got := call(h, "POST", tt.path, tt.body).Body.String(); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.body, got, tt.want)
		}
	}
}

// TestBodyLimit sends too much over real connections, declared and not.
func TestBodyLimit(t *testing.T) {
	server := httptest.NewServer(newHandler(t))
	defer server.Close()
	pad := func(n int) string {
		s := `{"ticker":"A","x":"` // and the rest of n bytes
		return s + strings.Repeat("y", n-len(s)-2) + `"}`
	}
	for _, tt := range []struct {
		name    string
		size    int
		chunked bool
		status  int
	}{
		{"declared, as much as may be", 64 << 10, false, 200},
		{"declared, one more", 64<<10 + 1, false, 413},
		{"chunked, as much as may be", 64 << 10, true, 200},
		{"chunked, one more", 64<<10 + 1, true, 413},
		{"chunked, ten times as much", 640 << 10, true, 413},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var body io.Reader = strings.NewReader(pad(tt.size))
			if tt.chunked {
				body = io.MultiReader(body) // hides the length
			}
			resp, err := http.Post(server.URL+"/predict", "application/json", body)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			got, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != tt.status {
				t.Errorf("got %d %s, want %d", resp.StatusCode, got, tt.status)
			}
			if tt.status == 413 && (string(got) != `{"detail":"Request body too large"}` ||
				!resp.Close) {
				t.Errorf("got %s, close %v; want the contract's text and a closed connection", got,
					resp.Close)
			}
		})
	}
}

// TestRawBodies sends bytes that no client library would. The answer is always JSON and no 500.
func TestRawBodies(t *testing.T) {
	server := httptest.NewServer(newHandler(t))
	defer server.Close()
	const head = "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	for _, tt := range []struct{ name, send, want string }{
		{"declared too large, never sent", head + "Content-Length: 70000\r\n\r\n", "413"},
		{"declared too large, with Expect", head +
			"Expect: 100-continue\r\nContent-Length: 70000\r\n\r\n", "413"},
		{"cut off", head + "Content-Length: 20\r\n\r\n{\"ticker\"", "400"},
		{"bad chunk", head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "400"},
		{"chunks cut off", head + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"tic", "400"},
		{"no body at all", head + "\r\n", "422"},
		{"chunked and empty", head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "422"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			io.WriteString(conn, tt.send)
			conn.(*net.TCPConn).CloseWrite()
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil || !json.Valid(body) || !strings.HasPrefix(resp.Status, tt.want) {
				t.Errorf("got %s %s %v, want %s and JSON", resp.Status, body, err, tt.want)
			}
		})
	}
}

func TestGetTicker(t *testing.T) {
	h := newHandler(t)
	post := call(h, "POST", "/predict",
		`{"ticker":"AAPL","days_ahead":5,"confidence_interval":0.9}`).Body.String()
	first := call(h, "GET", "/predict/aapl?days_ahead=5&confidence_interval=0.9", "")
	if first.Code != 200 || first.Body.String() != post {
		t.Fatalf("got %d %s, want what POST gives: %s", first.Code, first.Body, post)
	}
	tag := first.Header().Get("ETag")
	for _, tt := range []struct {
		sent string
		want int
	}{
		{tag, 304}, {"W/" + tag, 304}, {`"x", ` + tag, 304}, {"*", 304}, {`"x"`, 200},
		{strings.Trim(tag, `"`), 200}, {"", 200},
	} {
		w := call(h, "GET", "/predict/AAPL?days_ahead=5&confidence_interval=0.9", "",
			"If-None-Match", tt.sent)
		if w.Code != tt.want || w.Header().Get("ETag") != tag ||
			(tt.want == 304) != (w.Body.Len() == 0) {
			t.Errorf("If-None-Match %s: got %d, %d bytes, ETag %s; want %d", tt.sent, w.Code,
				w.Body.Len(), w.Header().Get("ETag"), tt.want)
		}
	}
	other := call(h, "GET", "/predict/AAPL?days_ahead=5", "").Header().Get("ETag")
	if other == tag || other == "" {
		t.Errorf("another answer: got the tag %s again", other)
	}
	for _, tt := range []struct {
		path string
		code int
		want string
	}{
		{"/predict/ZZ", 404, `{"detail":"Unknown ticker 'ZZ'"}`},
		{"/predict/%ff", 404, "{\"detail\":\"Unknown ticker '\ufffd'\"}"},
		{"/predict/ABCDEFGHIJK?days_ahead=%zz&confidence_interval=2", 422,
			`{"detail":[{"type":"string_too_long","loc":["path","ticker"],"msg":"String should have at most 10 characters","input":"ABCDEFGHIJK","ctx":{"max_length":10}},` +
				`{"type":"int_parsing","loc":["query","days_ahead"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"%zz"},` +
				`{"type":"less_than_equal","loc":["query","confidence_interval"],"msg":"Input should be less than or equal to 0.99","input":"2","ctx":{"le":0.99}}]}`},
		{"/predict/A?days_ahead=", 422,
			`{"detail":[{"type":"int_parsing","loc":["query","days_ahead"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":""}]}`},
		{"/predict/A?days_ahead=5;x", 422,
			`{"detail":[{"type":"int_parsing","loc":["query","days_ahead"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"5;x"}]}`},
	} {
		if w := call(h, "GET", tt.path, ""); w.Code != tt.code || w.Body.String() != tt.want {
			t.Errorf("%s: got %d %s, want %d %s", tt.path, w.Code, w.Body, tt.code, tt.want)
		}
	}
	for _, path := range []string{"/predict/A?days_ahead=9&days_ahead=2",
		"/predict/A?days_ahead=+2&x=%", "/predict/A?%64ays_ahead=%2B2",
		"/predict/A?&&days_ahead=2.0&"} {
		if n := len(rowsOf(t, call(h, "GET", path, "").Body.Bytes())); n != 2 {
			t.Errorf("%s: got %d rows, want 2", path, n)
		}
	}
}

// TestAge: Age grows up to max-age, which stays, until the answer expires and Age begins again.
// Caches subtract one from the other.
func TestAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, func(cfg *predict.Config) { cfg.TTL = 10 * time.Minute })
		h := handlerOf(s)
		get := func(status string) (age, lifetime int) {
			header := call(h, "GET", "/predict/A", "").Header()
			if got := header.Get("Cache-Status"); !strings.HasPrefix(got, status) {
				t.Errorf("Cache-Status is %q, want %s", got, status)
			}
			age, _ = strconv.Atoi(header.Get("Age"))
			lifetime, _ = strconv.Atoi(strings.TrimPrefix(header.Get("Cache-Control"),
				"public, max-age="))
			return age, lifetime
		}
		age, ttl := get("tickercast; fwd=miss; stored; ttl=")
		if age != 0 || ttl < 500 || ttl > 600 {
			t.Fatalf("new: got age %d and %d left, want 0 and about 600", age, ttl)
		}
		time.Sleep(100 * time.Second)
		age, lifetime := get(fmt.Sprintf("tickercast; hit; ttl=%d", ttl-100))
		if age != 100 || lifetime != ttl {
			t.Errorf("after 100 s: got age %d of %d, want 100 of %d", age, lifetime, ttl)
		}
		time.Sleep(time.Duration(ttl-99) * time.Second)
		if age, _ := get("tickercast; fwd=miss"); age != 0 {
			t.Errorf("after the TTL: got age %d, want 0", age)
		}
		s.Close()
	})
}
