package docs_test

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"strconv"
	"strings"
	"testing"
)

// catchFiles keeps what the page would save, instead of saving it.
func (p *tab) catchFiles() {
	p.eval(`(() => {
		window.saved = [];
		let blob;
		URL.createObjectURL = (b) => { blob = b; return "blob:kept"; };
		HTMLAnchorElement.prototype.click = function () { saved.push([this.download, blob]); };
	})()`, nil)
}

// file clicks on a button and returns the name and the bytes of the file that it saves.
func (p *tab) file(button string) (name string, content []byte) {
	p.t.Helper()
	p.eval(`saved.length = 0`, nil)
	p.click(button)
	p.wait(`saved.length === 1`)
	var got []string
	p.eval(`(async () => {
		const [name, blob] = saved[0];
		const bytes = new Uint8Array(await blob.arrayBuffer());
		let text = "";
		for (const b of bytes) text += String.fromCharCode(b);
		return [name, btoa(text)];
	})()`, &got)
	content, err := base64.StdEncoding.DecodeString(got[1])
	if err != nil {
		p.t.Fatal(err)
	}
	return got[0], content
}

func testDownloads(t *testing.T, b *browser, s *stage) {
	p := b.open(t, s.URL+"/docs?t=AAPL,A%2CB&d=3&c=0.97", desktop)
	p.catchFiles()
	name, content := p.file("#csv")
	if want := "AAPL-A_B-2026-11-26.csv"; name != want {
		t.Errorf("the file is named %s, want %s", name, want)
	}
	records, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(records[0], ","), "ticker,as_of,date,days_ahead,confidence,"+
		"predicted_price,confidence_lower,confidence_upper,model_version,close"; got != want {
		t.Errorf("the columns are %s, want %s", got, want)
	}
	if want := 1 + 2*3*5; len(records) != want { // two tickers, three days, five confidences
		t.Errorf("%d lines, want %d", len(records), want)
	}
	if got, want := strings.Join(records[1][:5], " "), "AAPL 2026-11-26 2026-11-27 1 0.8"; got != want {
		t.Errorf("the first row begins with %s, want %s", got, want)
	}
	if got := records[len(records)-1]; got[0] != "A,B" || got[8] != "one" {
		t.Errorf("the last row is %q, want ticker A,B and model one", got)
	}

	p = b.open(t, s.URL+"/docs?t=AAPL&o=2026-10-30", desktop)
	p.catchFiles()
	testPicture(t, p)
	p.quiet(s.URL)
}

// testPicture compares the two pictures of a chart with what they must hold.
func testPicture(t *testing.T, p *tab) {
	_, content := p.file("#svg")
	texts, shapes := "", map[string]int{}
	for d := xml.NewDecoder(bytes.NewReader(content)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the SVG is no XML: %v", err)
		}
		switch e := token.(type) {
		case xml.CharData:
			texts += string(e) + "\n"
		case xml.StartElement:
			shapes[e.Name.Local]++
			for _, a := range e.Attr {
				if a.Name.Local == "class" || strings.Contains(a.Value, "var(") {
					t.Errorf("<%s %s=%q> needs the style of the page", e.Name.Local, a.Name.Local,
						a.Value)
				}
			}
		}
	}
	for _, want := range []string{"AAPL: forecast of 2026-10-30, 95 % interval", "closes that came",
		"as of 30 Oct 2026"} {
		if !strings.Contains(texts, want) {
			t.Errorf("the SVG says %q, want %q too", texts, want)
		}
	}
	if shapes["path"] < 8 || shapes["circle"] < 19 {
		t.Errorf("the SVG has %v, want four bands, four lines, and 19 closes that came", shapes)
	}
	_, content = p.file("#png")
	picture, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		t.Fatalf("the PNG: %v", err)
	}
	size := picture.Bounds().Size()
	colours := map[string]bool{}
	for x := 0; x < size.X; x += 3 {
		for y := 0; y < size.Y; y += 3 {
			r, g, b, a := picture.At(x, y).RGBA()
			colours[fmt.Sprint(r>>8, g>>8, b>>8, a>>8)] = true
		}
	}
	if size.X < 2000 || len(colours) < 20 {
		t.Errorf("the PNG is %v and has %d colours, want the chart at twice its size", size, len(colours))
	}
}

// type into the box for own closes, as the keyboard would
func (p *tab) ownCloses(text string) {
	p.eval(fmt.Sprintf(`(() => {
		document.querySelector("#own").open = true;
		const box = document.querySelector("#closes");
		box.value = %q;
		box.dispatchEvent(new InputEvent("input", { bubbles: true }));
	})()`, text), nil)
}

func testOwn(t *testing.T, b *browser, s *stage) {
	const note = `document.querySelector("#closes-said").textContent`
	p := b.open(t, s.URL+"/docs?t=AAPL&d=5", desktop)
	p.ownCloses("1 2 3")
	p.wait(note + `.includes("at least 30 closes")`)
	var closes, dated []string
	for i, day := range weekdaysFrom(date("2025-12-31"), 60, 1) {
		closes = append(closes, strconv.Itoa(100+i))
		dated = append(dated, fmt.Sprintf("%s;ignored;%d.5", day, 100+i))
	}
	p.ownCloses(strings.Join(closes, "\n"))
	p.wait(said + `.startsWith("MINE closed at 159.00. By")`)
	p.same("drawn without a button", `document.querySelectorAll(".stage .past, .stage .band").length`, "5")
	p.same("a link cannot hold them", `document.querySelector("#link").disabled`, "true")
	p.same("nor can they be moved back without dates", `document.querySelector("#origin").disabled`,
		"true")
	p.eval(`document.querySelector(".stage").focus()`, nil)
	p.press("Home")
	p.contains("no date is invented", `document.querySelector(".stage").getAttribute("aria-valuetext")`,
		"59 closes earlier: close 100.00")
	p.eval(`document.querySelector("#code").open = true`, nil)
	p.contains("the request in code has them",
		`document.querySelector("#code pre").textContent.replace(/\s/g, "")`, `"history":[100,101,`)

	// With dates, newest first under a header, as vendors send them.
	newest := append([]string{}, dated...)
	for i := range len(newest) / 2 {
		newest[i], newest[len(newest)-1-i] = newest[len(newest)-1-i], newest[i]
	}
	p.ownCloses("date;x;close\n" + strings.Join(newest, "\n"))
	p.wait(note + `.includes("60 closes from 2026-01-01 to 2026-03-25")`)
	p.wait(said + `.startsWith("MINE closed at 159.50 on 25 Mar 2026.")`)
	p.eval(`(() => {
		const day = document.querySelector("#origin-date");
		day.value = "2026-03-20";
		day.dispatchEvent(new Event("change", { bubbles: true }));
	})()`, nil)
	p.wait(said + `.includes("156.50 on 20 Mar 2026") && ` + said + `.includes("of 3 closes that came")`)
	asked := s.questions()
	if last := asked[len(asked)-1]; len(last.History) != 57 || last.AsOf != "2026-03-20" {
		t.Errorf("asked with %d closes to %s, want 57 to 2026-03-20", len(last.History), last.AsOf)
	}
	p.ownCloses(strings.Join(dated, "\n") + "\n2026-03-26;;none")
	p.wait(note + `.includes("Line 61")`)
	p.click("#closes-clear")
	p.wait(`document.title === "AAPL – tickercast"`)
	p.quiet(s.URL)
}

// testAsOf moves the day of the forecast back.
func testAsOf(t *testing.T, b *browser, s *stage) {
	p := b.open(t, s.URL+"/docs?t=AAPL&d=10&c=0.8", desktop)
	p.eval(`document.querySelector("#origin").focus()`, nil)
	p.press("PageDown")
	p.wait(`document.querySelector("#origin-out").textContent.endsWith("back")`)
	p.eval(`(() => {
		const slider = document.querySelector("#origin");
		slider.value = slider.max - 15;
		slider.dispatchEvent(new InputEvent("input", { bubbles: true }));
	})()`, nil)
	p.same("days back", `document.querySelector("#origin-out").textContent`, "15 days back")
	p.wait(`document.querySelector(".stage svg").textContent.includes("as of 5 Nov 2026")`)
	p.contains("the address follows", "location.search", "o=2026-11-05")
	p.same("closes that came", `document.querySelectorAll(".stage :is(.hit, .miss)").length`, "10")
	asked := s.questions()
	if last := asked[len(asked)-1]; last.AsOf != "2026-11-05" {
		t.Errorf("asked as of %q, want 2026-11-05", last.AsOf)
	}
	p.catchFiles()
	_, content := p.file("#csv")
	records, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	inside, of := 0, 0
	for _, r := range records[1:] {
		if r[4] != "0.8" {
			continue
		}
		of++
		if number(t, r[6]) <= number(t, r[9]) && number(t, r[9]) <= number(t, r[7]) {
			inside++
		}
	}
	if of != 10 || inside == 10 {
		t.Errorf("%d of %d closes inside: the test needs some outside of 10", inside, of)
	}
	p.contains("hits are counted", said, fmt.Sprintf("%d of 10 closes that came were inside the 80", inside))
	p.same("misses are marked", `document.querySelectorAll(".stage .miss").length`, fmt.Sprint(10-inside))
	p.eval(`document.querySelector("#code").open = true`, nil)
	p.contains("the request in code is of that day",
		`document.querySelector("#code pre").textContent.replace(/\s/g, "")`, `"as_of":"2026-11-05"`)
	p.click("#latest")
	p.wait(`!location.search.includes("o=") && document.querySelectorAll(".stage :is(.hit, .miss)").length === 0`)
	p.same("the slider is at its end", `document.querySelector("#origin").value ===
		document.querySelector("#origin").max`, "true")
	p.quiet(s.URL)
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}
