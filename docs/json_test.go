package docs_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// testFolds lays out JSON that a program would spoil by parsing it.
func testFolds(t *testing.T, b *browser, url string) {
	p := b.open(t, url+"/docs#"+predictID, desktop)
	var out []string
	p.eval(`(async () => {
		const json = await import(new URL("docs/json.js", location.href));
		const text = '{"a":12345678901234567890,"a":5.0,"b":[{"c":[]},{}],"s":"\\"{,}:[","t":true}';
		const pre = document.createElement("pre");
		document.body.append(pre);
		pre.append(...json.coloured(text));
		const whole = pre.textContent;
		pre.querySelector(".folder").click();
		return [json.pretty(text), whole, pre.innerText, json.pretty("{no"),
			json.pretty(JSON.stringify(Array(60).fill(10.5)))];
	})()`, &out)
	want := `{
  "a": 12345678901234567890,
  "a": 5.0,
  "b": [
    {"c": []},
    {}
  ],
  "s": "\"{,}:[",
  "t": true
}`
	if out[0] != strings.ReplaceAll(want, `    {"c": []},`, "    {\n      \"c\": []\n    },") ||
		out[1] != out[0] {
		t.Errorf("laid out as\n%s\nand, in colours,\n%s\nwant\n%s", out[0], out[1], want)
	}
	if strings.Contains(out[2], `"c"`) {
		t.Errorf("folded, but it shows\n%s", out[2])
	}
	if out[3] != "{no" {
		t.Errorf("what is no JSON becomes %q", out[3])
	}
	if lines := strings.Split(out[4], "\n"); len(lines) > 10 || len(lines) < 3 {
		t.Errorf("60 numbers take %d lines", len(lines))
	}
	var back []float64
	if err := json.Unmarshal([]byte(out[4]), &back); err != nil || len(back) != 60 {
		t.Errorf("60 numbers became %d: %v", len(back), err)
	}
}
