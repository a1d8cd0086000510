package predict_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"tickercast/predict"
)

const binaryHead = "Inference-Header-Content-Length"

// le puts values together as a binary tensor; strings get their length before them.
func le(values ...any) (b []byte) {
	for _, v := range values {
		if s, ok := v.(string); ok {
			b = append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
			continue
		}
		b, _ = binary.Append(b, binary.LittleEndian, v)
	}
	return b
}

// binaryBody is a request for two tickers whose tensors stand behind the JSON.
func binaryBody(days, confidence string, rest ...[]byte) (body, head string) {
	tickers := le("A", "MSFT")
	input := func(name, datatype string, n int, b []byte) string {
		return fmt.Sprintf(`{"name":"%s","datatype":"%s","shape":[%d],"parameters":{"binary_data_size":%d}}`,
			name, datatype, n, len(b))
	}
	text := `{"inputs":[` + input("ticker", "BYTES", 2, tickers) + "," +
		input("days_ahead", days, 2, rest[0]) + "," +
		input("confidence_interval", confidence, 1, rest[1]) + `],"parameters":{"binary_data_output":true}}`
	return text + string(tickers) + string(bytes.Join(rest, nil)), strconv.Itoa(len(text))
}

// TestInferBinary: binary tensors of each datatype give the numbers of the same request in JSON.
func TestInferBinary(t *testing.T) {
	h := newHandler(t)
	want, _ := callInfer(t, h,
		`{"inputs":[{"name":"ticker","datatype":"BYTES","shape":[2],"data":["A","MSFT"]},{"name":"days_ahead","datatype":"INT32","shape":[2],"data":[3,30]},{"name":"confidence_interval","datatype":"FP64","shape":[1],"data":[0.99]}]}`)
	for datatype, days := range map[string][]byte{"INT8": le(int8(3), int8(30)),
		"INT16": le(int16(3), int16(30)), "INT32": le(int32(3), int32(30)),
		"INT64": le(int64(3), int64(30)), "UINT8": le(uint8(3), uint8(30)),
		"UINT16": le(uint16(3), uint16(30)), "UINT32": le(uint32(3), uint32(30)),
		"UINT64": le(uint64(3), uint64(30))} {
		for single, confidence := range map[string][]byte{"FP64": le(0.99), "FP32": le(float32(0.99))} {
			body, head := binaryBody(datatype, single, days, confidence)
			w := call(h, "POST", inferPath, body, binaryHead, head)
			if w.Code != 200 || w.Header().Get("Content-Type") != "application/octet-stream" {
				t.Fatalf("%s, %s: got %d %s", datatype, single, w.Code, w.Body)
			}
			checkBinary(t, w.Header().Get(binaryHead), w.Body.Bytes(), want)
		}
	}
}

// checkBinary wants an answer with all outputs binary to have the values of one in JSON.
func checkBinary(t *testing.T, head string, body []byte, want map[string]outputTensor) {
	t.Helper()
	n, err := strconv.Atoi(head)
	if err != nil || n > len(body) {
		t.Fatalf("a head of %q where %d bytes came", head, len(body))
	}
	var got struct {
		Outputs []struct {
			Name       string
			Data       any
			Shape      []int
			Parameters struct {
				Size int `json:"binary_data_size"`
			}
		}
	}
	if err := json.Unmarshal(body[:n], &got); err != nil || len(got.Outputs) != 4 {
		t.Fatalf("%v: %s", err, body[:n])
	}
	rest := body[n:]
	for _, o := range got.Outputs {
		if o.Data != nil || o.Parameters.Size > len(rest) ||
			fmt.Sprint(o.Shape) != fmt.Sprint(want[o.Name].Shape) {
			t.Fatalf("%s: %+v with %d bytes left", o.Name, o, len(rest))
		}
		b := rest[:o.Parameters.Size]
		rest = rest[o.Parameters.Size:]
		for i, v := range want[o.Name].Data {
			switch v := v.(type) {
			case string:
				if size := 4 + len(v); len(b) < size || !bytes.Equal(b[:size], le(v)) {
					t.Fatalf("%s, value %d: got %q, want %q", o.Name, i, b, v)
				}
				b = b[4+len(v):]
			case float64:
				if len(b) < 8 || math.Float64frombits(binary.LittleEndian.Uint64(b)) != v {
					t.Fatalf("%s, value %d: got % x, want %v", o.Name, i, b, v)
				}
				b = b[8:]
			}
		}
		if len(b) > 0 {
			t.Errorf("%s: %d bytes more", o.Name, len(b))
		}
	}
	if len(rest) > 0 {
		t.Errorf("%d bytes behind the outputs", len(rest))
	}
}

func TestInferBinaryRefusals(t *testing.T) {
	h := newHandler(t)
	one := func(size int, shape, more string) string {
		return fmt.Sprintf(`{"inputs":[{"name":"ticker","datatype":"BYTES","shape":[%s]%s,`+
			`"parameters":{"binary_data_size":%d}}]}`, shape, more, size)
	}
	for _, tt := range []struct{ head, rest, length, want string }{
		{`{}`, "", "3", "Inference-Header-Content-Length is no length within the body"},
		{`{}`, "", "-1", "Inference-Header-Content-Length is no length within the body"},
		{`{}`, "", "x", "Inference-Header-Content-Length is no length within the body"},
		{``, "abc", "0", "the body is no JSON"},
		{one(5, "1", ""), "\x01\x00\x00\x00", "", "a binary_data_size of 5 where 4 bytes are left"},
		{one(-1, "1", ""), "", "", "a binary_data_size of -1 where 0 bytes are left"},
		{one(5, "1", `,"data":["A"]`), string(le("A")), "", "has data too"},
		{one(5, "1", ""), string(le("A")) + "x", "", "1 bytes are behind the last binary tensor"},
		{one(5, "2", ""), string(le("A")), "", "has 1 values where its shape says 2"},
		{one(10, "1", ""), string(le("A", "A")), "", "has 2 values where its shape says 1"},
		{one(3, "1", ""), "\x01\x00\x00", "", "ends within value 0"},
		{one(5, "1", ""), "\xff\xff\xff\xffA", "", "ends within value 0"},
		{one(5, "1", ""), string(le("\xff")), "", "wrong value 0: Input should be a valid string"},
		{one(4, "1", ""), string(le("")), "", "wrong value 0: String should have at least 1"},
	} {
		if tt.length == "" {
			tt.length = strconv.Itoa(len(tt.head))
		}
		w := call(h, "POST", inferPath, tt.head+tt.rest, binaryHead, tt.length)
		if w.Code != 400 || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s%q: got %d %s, want %s", tt.head, tt.rest, w.Code, w.Body, tt.want)
		}
	}
	for _, tt := range []struct {
		days, confidence string
		values           [2][]byte
		want             string
	}{
		{"INT32", "FP64", [2][]byte{le(int32(-1), int32(1)), le(0.9)}, "greater than or equal to 1"},
		{"UINT64", "FP64", [2][]byte{le(uint64(math.MaxUint64), uint64(1)), le(0.9)},
			"less than or equal to 30"},
		{"INT16", "FP64", [2][]byte{le(int16(1), int8(1)), le(0.9)}, "ends within value 1"},
		{"INT8", "FP64", [2][]byte{le(int8(1), int8(1)), le(math.NaN())}, "less than or equal to 0.99"},
		{"INT8", "FP32", [2][]byte{le(int8(1), int8(1)), le(float32(math.Inf(-1)))},
			"greater than or equal to 0.8"},
		{"INT8", "FP64", [2][]byte{le(int8(1), int8(1)), le(float32(0.9))}, "ends within value 0"},
	} {
		body, head := binaryBody(tt.days, tt.confidence, tt.values[0], tt.values[1])
		w := call(h, "POST", inferPath, body, binaryHead, head)
		if w.Code != 400 || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s, %s: got %d %s, want %s", tt.days, tt.confidence, w.Code, w.Body, tt.want)
		}
	}
}

// TestInferMixed: each output may be binary or not, whatever the default of the request is.
func TestInferMixed(t *testing.T) {
	h := newHandler(t)
	w := call(h, "POST", inferPath, `{"inputs":[{"name":"ticker","datatype":"BYTES","shape":[1],"data":["A"]}],`+
		`"parameters":{"binary_data_output":true},"outputs":[{"name":"predicted_price"},`+
		`{"name":"date","parameters":{"binary_data":false}}]}`)
	n, _ := strconv.Atoi(w.Header().Get(binaryHead))
	if head := w.Body.String()[:n]; w.Code != 200 || w.Body.Len() != n+8 ||
		!strings.Contains(head, `"shape":[1,1],"parameters":{"binary_data_size":8}}`) ||
		!strings.Contains(head, `"shape":[1,1],"data":["20`) {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
}

func TestModelNames(t *testing.T) {
	s := newService(t, func(cfg *predict.Config) { cfg.ModelName = "prices" })
	h := handlerOf(s)
	m, _ := s.Current()
	body := `{"inputs":[{"name":"ticker","datatype":"BYTES","shape":[1],"data":["A"]}]}`
	for _, name := range []string{"prices", "tickercast"} {
		for _, path := range []string{"", "/versions/" + m.Version()} {
			w := call(h, "POST", "/v2/models/"+name+path+"/infer", body)
			if w.Code != 200 || !strings.HasPrefix(w.Body.String(), `{"model_name":"`+name+`",`) {
				t.Errorf("%s%s: got %d %s", name, path, w.Code, w.Body)
			}
		}
	}
	for path, want := range map[string]string{
		"/v2/models/other":                        "unknown model 'other', there is 'prices'",
		"/v2/models/prices/versions/1":            "unknown version '1', there is '" + m.Version() + "'",
		"/v2/models/tickercast/versions/1/ready":  "unknown version '1', there is '" + m.Version() + "'",
		"/v2/models/" + strings.Repeat("a", 1000): "unknown model '" + strings.Repeat("a", 40) + "...', there is 'prices'",
	} {
		w := call(h, "GET", path, "")
		if w.Code != 404 || w.Body.String() != `{"error":"`+want+`"}` {
			t.Errorf("%s: got %d %s, want %s", path, w.Code, w.Body, want)
		}
	}
	if w := call(h, "GET", "/v2/models", ""); w.Body.String() != `{"models":["prices"]}` {
		t.Errorf("models: got %s", w.Body)
	}
}

func TestIndex(t *testing.T) {
	ready := true
	s := newService(t, func(cfg *predict.Config) {
		cfg.Ready = func(bool) (bool, []string) { return ready, []string{"old prices"} }
	})
	h := handlerOf(s)
	m, _ := s.Current()
	row := `{"name":"tickercast","version":"` + m.Version() + `","state":"`
	for _, tt := range []struct {
		ready      bool
		body, want string
		status     int
	}{
		{true, ``, `[` + row + `READY","reason":""}]`, 200},
		{true, `{"ready":true}`, `[` + row + `READY","reason":""}]`, 200},
		{false, `{"ready":false}`, `[` + row + `UNAVAILABLE","reason":"old prices"}]`, 200},
		{false, `{"ready":true}`, `[]`, 200},
		{true, `{"ready":1}`, `{"error":"ready is number, not true or false"}`, 400},
		{true, `null`, `{"error":"the body is null, not an object"}`, 400},
		{true, `{`, `{"error":"the body is no JSON: unexpected end of JSON input, at byte 1"}`, 400},
	} {
		ready = tt.ready
		if w := call(h, "POST", "/v2/repository/index", tt.body); w.Code != tt.status ||
			w.Body.String() != tt.want {
			t.Errorf("%s: got %d %s, want %s", tt.body, w.Code, w.Body, tt.want)
		}
	}
}

// FuzzInferBinary: any JSON with any bytes behind it gets an answer of the protocol.
func FuzzInferBinary(f *testing.F) {
	body, head := binaryBody("INT32", "FP64", le(int32(3), int32(30)), le(0.9))
	f.Add([]byte(body), head)
	f.Add([]byte(body[:len(body)-1]), head)
	f.Add([]byte(`{"inputs":[{"name":"ticker","datatype":"BYTES","shape":[1,1],"parameters":{"binary_data_size":5}}]}`+
		"\x01\x00\x00\x00A"), "99")
	h := newHandler(f)
	f.Fuzz(func(t *testing.T, body []byte, head string) {
		w := call(h, "POST", inferPath, string(body), binaryHead, head)
		text := w.Body.Bytes()
		if n := w.Header().Get(binaryHead); n != "" {
			size, err := strconv.Atoi(n)
			if err != nil || size > len(text) || w.Code != 200 {
				t.Fatalf("%q, %q: got %d with a head of %q", body, head, w.Code, n)
			}
			text = text[:size]
		}
		if (w.Code != 200 && w.Code != 400 && w.Code != 413) || !json.Valid(text) {
			t.Errorf("%q, %q: got %d %q", body, head, w.Code, w.Body)
		}
	})
}
