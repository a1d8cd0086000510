package train

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"tickercast/model"
)

// WriteSVG draws the evaluation as one picture of panels: coverage against confidence, loss against
// each baseline by horizon, coverage through time, and the difference to other weights.
func (e *Evaluation) WriteSVG(w io.Writer) error {
	p := &plot{}
	p.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" `+
		`font-family="system-ui, sans-serif" font-size="12">
<title>Evaluation of model %s</title>
<style>
svg { background: #fff; color: #1b1f24 } text { fill: currentColor } .soft { fill: #6a737d }
.frame { stroke: #d0d7de; fill: none } .grid { stroke: #eaeef2 } `+
		`.aim { stroke: #6a737d; stroke-dasharray: 4 3; fill: none }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; `+
		`stroke-linecap: round } `+
		`.head { font-size: 14px; font-weight: 600 }
@media (prefers-color-scheme: dark) { svg { background: #0d1117; color: #e6edf3 } `+
		`.frame { stroke: #30363d } .grid { stroke: #21262d } .soft { fill: #8b949e } `+
		`.aim { stroke: #8b949e } }
</style>
<text x="24" y="30" font-size="17" font-weight="600">Model %[3]s, %[4]s to %[5]s</text>
<text x="24" y="50" class="soft">%[6]d tickers, %[7]d dates, one origin every %[8]d trading days, `+
		"each from the closes up to that day</text>\n",
		plotWidth, e.plotHeight(), e.Model, e.From, e.To, e.Tickers, e.Dates, e.Every)
	e.plotCoverage(p)
	e.plotLoss(p)
	e.plotTime(p)
	e.plotAgainst(p)
	p.printf("</svg>\n")
	_, err := io.WriteString(w, p.String())
	return err
}

const (
	plotWidth         = 960
	topRow, bottomRow = 148, 510
	topHeight         = 260
	keyLine           = 17 // between two lines of a key
)

// palette is readable in either colour scheme, and for most colour-blind readers.
var palette = [...]string{"#0b7fab", "#d1651b", "#2f8f5b", "#9b59b6", "#c0392b", "#7f7f2a"}

// plot writes SVG. It maps data to one rectangle of the picture at a time.
type plot struct {
	strings.Builder
	x, y, width, height    float64
	left, right, low, high float64 // of the data
}

func (p *plot) printf(format string, args ...any) { fmt.Fprintf(p, format, args...) }

func (p *plot) px(x float64) float64 { return p.x + (x-p.left)/(p.right-p.left)*p.width }
func (p *plot) py(y float64) float64 { return p.y + (p.high-y)/(p.high-p.low)*p.height }

func (p *plot) text(x, y float64, attributes, text string) {
	p.printf(`<text x="%.1f" y="%.1f" %s>%s</text>`+"\n", x, y, attributes, text)
}

// frame draws a frame and what it says above it: a title, and below that the key of names.
func (p *plot) frame(title, unit, below string, names []string) {
	y := p.key(names)
	p.text(p.x, y, `class="head"`, title)
	p.text(p.x+p.width, y, `class="soft" text-anchor="end"`, unit)
	p.text(p.x+p.width/2, p.y+p.height+34, `class="soft" text-anchor="middle"`, below)
	p.printf(`<rect x="%.0f" y="%.0f" width="%.0f" height="%.0f" class="frame"/>`+"\n", p.x,
		p.y, p.width, p.height)
}

// key lists the lines by name in rows above the frame, and returns where the text above these goes.
func (p *plot) key(names []string) float64 {
	wide := 0
	for _, name := range names {
		wide = max(wide, utf8.RuneCountInString(name))
	}
	cell := 44 + 6.6*float64(wide)
	columns := max(1, int(p.width/cell))
	rows := (len(names) + columns - 1) / columns
	for k, name := range names {
		x := p.x + cell*float64(k%columns)
		y := p.y - 10 - keyLine*float64(rows-1-k/columns)
		p.line(y-4, x, x+18, `class="line"`+colourOf(k))
		p.text(x+24, y, "", name)
	}
	return p.y - 12 - keyLine*float64(rows)
}

// colourOf is the attribute of the kth line: a style, which beats those of classes.
func colourOf(k int) string { return fmt.Sprintf(` style="stroke:%s"`, palette[k%len(palette)]) }

func (p *plot) tickX(x float64, label string) {
	p.text(p.px(x), p.y+p.height+16, `class="soft" text-anchor="middle"`, label)
}

func (p *plot) tickY(y float64, label string) {
	p.line(p.py(y), p.x, p.x+p.width, `class="grid"`)
	p.text(p.x-6, p.py(y)+4, `class="soft" text-anchor="end"`, label)
}

// line draws a horizontal line.
func (p *plot) line(y, from, to float64, attributes string) {
	p.printf(`<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" %s/>`+"\n", from, to, y, y,
		attributes)
}

// percentTicks marks round values of shares, and draws the line of zero.
func (p *plot) percentTicks() {
	step := 0.0001
	for i := 0; (p.high-p.low)/step > 8; i++ {
		step *= [...]float64{2, 2.5, 2}[i%3] // 1, 2, 5, 10
	}
	digits := max(0, int(math.Ceil(-2-math.Log10(step)-1e-9)))
	for i := math.Ceil(p.low / step); i*step <= p.high; i++ {
		p.tickY(i*step, fmt.Sprintf("%+.*f", digits, 100*i*step))
	}
	p.aim(0, `class="aim"`)
}

// aim draws a dashed line at a value.
func (p *plot) aim(y float64, attributes string) {
	p.line(p.py(y), p.x, p.x+p.width, attributes)
}

// lines draws a number of lines of n points each, broken where a value is missing.
func (p *plot) lines(lines, n int, at func(k, i int) (x, y float64)) {
	for k := range lines {
		p.printf(`<path class="line"%s d="`, colourOf(k))
		pen := "M"
		for i := range n {
			x, y := at(k, i)
			if !number(y).Finite() {
				pen = "M"
				continue
			}
			p.printf("%s%.1f %.1f", pen, p.px(x), p.py(min(max(y, p.low), p.high)))
			if pen == "M" {
				p.printf("h0") // a dot, where no other point follows
			}
			pen = "L"
		}
		p.printf("\"/>\n")
	}
}

// stretch widens the range of the data to hold a value.
func (p *plot) stretch(v number) {
	if v.Finite() {
		p.low, p.high = min(p.low, float64(v)), max(p.high, float64(v))
	}
}

func (e *Evaluation) plotCoverage(p *plot) {
	p.x, p.y, p.width, p.height = 64, topRow, 380, topHeight
	p.left, p.right, p.low, p.high = -0.3, model.Levels-0.7, -0.02, 0.02
	shown := [...]int{1, 5, 10, 30}
	var names []string
	for _, h := range shown {
		names = append(names, fmt.Sprintf("%d ahead", h))
		for l, c := range e.Confidences {
			p.stretch(e.Methods[0].Coverage[h-1][l] - number(c))
		}
	}
	p.low, p.high = p.low-0.005, p.high+0.005
	p.frame("Coverage minus confidence", "points", "confidence in per cent; lines by trading days ahead", names)
	for l, c := range e.Confidences {
		p.tickX(float64(l), fmt.Sprintf("%.0f", 100*c))
	}
	p.percentTicks()
	p.lines(len(names), model.Levels, func(k, l int) (float64, float64) {
		return float64(l), float64(e.Methods[0].Coverage[shown[k]-1][l]) - e.Confidences[l]
	})
}

func (e *Evaluation) plotLoss(p *plot) {
	p.x, p.y, p.width, p.height = 540, topRow, 390, topHeight
	p.left, p.right, p.low, p.high = 1, model.MaxDays, -0.01, 0.01
	var names []string
	for _, r := range e.Overall {
		for _, v := range r.ByHorizon {
			p.stretch(v - 1)
		}
		names = append(names, fmt.Sprintf("%s %s", r.Baseline, percent(r.Ratio)))
	}
	p.low, p.high = p.low-0.005, p.high+0.005
	p.frame("Pinball loss against each baseline", "per cent",
		"trading days ahead; negative: the model is better", names)
	for _, h := range [...]int{1, 5, 10, 15, 20, 25, 30} {
		p.tickX(float64(h), fmt.Sprint(h))
	}
	p.percentTicks()
	p.lines(len(names), model.MaxDays, func(k, i int) (float64, float64) {
		return float64(i + 1), float64(e.Overall[k].ByHorizon[i]) - 1
	})
}

func (e *Evaluation) plotTime(p *plot) {
	const h = 10
	p.x, p.y, p.width, p.height = 64, bottomRow, 866, 210
	p.left, p.right, p.low, p.high = 0, max(1, float64(len(e.Quarters)-1)), 0.6, 1
	shown := [...]int{0, 2, 3, 5}
	var names []string
	for _, l := range shown {
		names = append(names, fmt.Sprintf("%.0f %%", 100*e.Confidences[l]))
		for _, q := range e.Quarters {
			p.stretch(q.Coverage[h-1][l] - 0.02)
		}
	}
	p.low = max(0, p.low)
	p.frame(fmt.Sprintf("Coverage through time, %d days ahead", h),
		"per cent of each quarter's targets; dashed: the confidence", "", names)
	tenths := 1
	if p.high-p.low > 0.5 {
		tenths = 2
	}
	for t := 10; t >= 0 && float64(t)/10 >= p.low; t -= tenths {
		p.tickY(float64(t)/10, fmt.Sprint(10*t))
	}
	last := -99
	for i, q := range e.Quarters {
		if (i == 0 || q.Quarter == 1) && i-last >= 1+len(e.Quarters)/24 {
			p.tickX(float64(i), fmt.Sprint(q.Year))
			last = i
		}
	}
	for k, l := range shown {
		p.aim(e.Confidences[l], `class="aim"`+colourOf(k))
	}
	p.lines(len(names), len(e.Quarters), func(k, i int) (float64, float64) {
		return float64(i), float64(e.Quarters[i].Coverage[h-1][shown[k]])
	})
}
