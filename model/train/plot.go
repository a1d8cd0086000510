package train

import (
	"fmt"
	"io"
	"math"
	"strings"

	"tickercast/model"
)

// WriteSVG draws the evaluation as one picture of three panels: whether intervals cover what they
// say, how much is lost against each baseline by horizon, and whether coverage holds through time.
func (e *Evaluation) WriteSVG(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="12">
<title>Evaluation of model %s</title>
<style>
svg { background: #fff; color: #1b1f24 } text { fill: currentColor } .soft { fill: #6a737d }
.frame { stroke: #d0d7de; fill: none } .grid { stroke: #eaeef2 } .aim { stroke: #6a737d; stroke-dasharray: 4 3; fill: none }
.line { fill: none; stroke-width: 2; stroke-linejoin: round } .head { font-size: 14px; font-weight: 600 }
@media (prefers-color-scheme: dark) { svg { background: #0d1117; color: #e6edf3 } .frame { stroke: #30363d } .grid { stroke: #21262d } .soft { fill: #8b949e } .aim { stroke: #8b949e } }
</style>
`, plotWidth, plotHeight, e.Model)
	fmt.Fprintf(&b,
		`<text x="24" y="30" font-size="17" font-weight="600">Model %s, %s to %s</text>`+"\n",
		e.Model, e.From, e.To)
	fmt.Fprintf(&b,
		`<text x="24" y="50" class="soft">%d tickers, %d dates, one origin every %d trading days, each from the closes up to that day alone</text>`+"\n", e.Tickers, e.Dates, e.Every)
	e.plotReliability(&b)
	e.plotLoss(&b)
	e.plotTime(&b)
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

const (
	plotWidth, plotHeight = 960, 720
	topRow, bottomRow     = 96, 452
	panelHeight           = 260
)

// palette is readable in either colour scheme, and for most colour-blind readers.
var palette = [...]string{"#0b7fab", "#d1651b", "#2f8f5b", "#9b59b6", "#c0392b", "#7f7f2a"}

// panel maps data to a rectangle of the picture.
type panel struct {
	b                      *strings.Builder
	x, y, width, height    float64
	left, right, low, high float64
}

func (p *panel) px(x float64) float64 { return p.x + (x-p.left)/(p.right-p.left)*p.width }
func (p *panel) py(y float64) float64 { return p.y + (p.high-y)/(p.high-p.low)*p.height }

func (p *panel) frame(title, unit string) {
	fmt.Fprintf(p.b,
		`<text x="%.0f" y="%.0f" class="head">%s</text><text x="%.0f" y="%.0f" class="soft" text-anchor="end">%s</text>`+"\n",
		p.x, p.y-10, title, p.x+p.width, p.y-10, unit)
	fmt.Fprintf(p.b, `<rect x="%.0f" y="%.0f" width="%.0f" height="%.0f" class="frame"/>`+"\n", p.x,
		p.y, p.width, p.height)
}

func (p *panel) tickX(x float64, label string) {
	fmt.Fprintf(p.b, `<text x="%.1f" y="%.0f" text-anchor="middle" class="soft">%s</text>`+"\n",
		p.px(x), p.y+p.height+16, label)
}

// below says what the horizontal axis is.
func (p *panel) below(unit string) {
	fmt.Fprintf(p.b, `<text x="%.0f" y="%.0f" text-anchor="middle" class="soft">%s</text>`+"\n",
		p.x+p.width/2, p.y+p.height+34, unit)
}

func (p *panel) tickY(y float64, label string) {
	fmt.Fprintf(p.b,
		`<line x1="%.0f" x2="%.0f" y1="%.1f" y2="%.1f" class="grid"/><text x="%.0f" y="%.1f" text-anchor="end" class="soft">%s</text>`+"\n",
		p.x, p.x+p.width, p.py(y), p.py(y), p.x-6, p.py(y)+4, label)
}

// path draws a line through points, breaking it where a value is missing.
func (p *panel) path(class, color string, n int, at func(i int) (x, y float64)) {
	fmt.Fprintf(p.b, `<path class="%s"`, class)
	if color != "" {
		fmt.Fprintf(p.b, ` stroke="%s"`, color)
	}
	p.b.WriteString(` d="`)
	pen := "M"
	for i := range n {
		x, y := at(i)
		if math.IsNaN(y) || math.IsInf(y, 0) {
			pen = "M"
			continue
		}
		fmt.Fprintf(p.b, "%s%.1f %.1f", pen, p.px(x), p.py(min(max(y, p.low), p.high)))
		pen = "L"
	}
	p.b.WriteString("\"/>\n")
}

// key lists the lines' names, top down.
func (p *panel) key(x, y float64, names []string) {
	for i, name := range names {
		fmt.Fprintf(p.b,
			`<line x1="%.0f" x2="%.0f" y1="%.0f" y2="%.0f" class="line" stroke="%s"/><text x="%.0f" y="%.0f">%s</text>`+"\n",
			x, x+18, y+float64(17*i), y+float64(17*i), palette[i%len(palette)], x+24,
			y+4+float64(17*i), name)
	}
}

// stretch widens low..high to hold a value.
func stretch(low, high *float64, v number) {
	if x := float64(v); !math.IsNaN(x) && !math.IsInf(x, 0) {
		*low, *high = min(*low, x), max(*high, x)
	}
}

func (e *Evaluation) plotReliability(b *strings.Builder) {
	shown := [...]int{1, 5, 10, 30}
	low, high := -0.02, 0.02
	for _, h := range shown {
		for l, c := range e.Confidences {
			stretch(&low, &high, e.Methods[0].Coverage[h-1][l]-number(c))
		}
	}
	p := &panel{b: b, x: 64, y: topRow, width: 380, height: panelHeight, left: -0.3,
		right: model.Levels - 0.7, low: low - 0.005, high: high + 0.005}
	p.frame("Coverage less confidence", "points")
	p.ticksY(100, "%+.0f")
	p.below("confidence in per cent; lines by trading days ahead")
	for l, c := range e.Confidences {
		p.tickX(float64(l), fmt.Sprintf("%.0f", 100*c))
	}
	p.path("aim", "", 2, func(i int) (float64,
		float64) {
		return p.left + float64(i)*(p.right-p.left), 0
	})
	var names []string
	for k, h := range shown {
		names = append(names, fmt.Sprintf("%d ahead", h))
		p.path("line", palette[k], model.Levels, func(l int) (float64, float64) {
			return float64(l), float64(e.Methods[0].Coverage[h-1][l]) - e.Confidences[l]
		})
	}
	p.key(p.x+12, p.y+16, names)
}

func (e *Evaluation) plotLoss(b *strings.Builder) {
	low, high := -0.01, 0.01
	var names []string
	for _, r := range e.Overall {
		for _, v := range r.ByHorizon {
			stretch(&low, &high, v-1)
		}
		names = append(names, fmt.Sprintf("%s %s", r.Baseline, percent(r.Ratio)))
	}
	p := &panel{b: b, x: 540, y: topRow, width: 390, height: panelHeight, left: 1,
		right: model.MaxDays, low: low - 0.005, high: high + 0.025}
	p.frame("Pinball loss against each baseline", "per cent")
	p.ticksY(100, "%+.0f")
	p.below("trading days ahead")
	for _, h := range [...]int{1, 5, 10, 15, 20, 25, 30} {
		p.tickX(float64(h), fmt.Sprint(h))
	}
	p.path("aim", "", 2, func(i int) (float64,
		float64) {
		return p.left + float64(i)*(p.right-p.left), 0
	})
	for k, r := range e.Overall {
		p.path("line", palette[k%len(palette)], model.MaxDays, func(i int) (float64, float64) {
			return float64(i + 1), float64(r.ByHorizon[i]) - 1
		})
	}
	p.key(p.x+12, p.y+16, names)
}

func (e *Evaluation) plotTime(b *strings.Builder) {
	const h = 10
	shown := [...]int{0, 2, 3, 5}
	p := &panel{b: b, x: 64, y: bottomRow, width: 866, height: 210, left: 0,
		right: max(1, float64(len(e.Quarters)-1)), low: 0.6, high: 1}
	for _, q := range e.Quarters {
		p.low = min(p.low, max(0, float64(q.Coverage[h-1][0])-0.02))
	}
	p.frame(fmt.Sprintf("Coverage through time, %d days ahead", h),
		"per cent of each quarter's targets; dashed: the confidence")
	for _, y := range [...]float64{0.2, 0.4, 0.6, 0.8, 0.9, 1} {
		if y >= p.low {
			p.tickY(y, fmt.Sprintf("%.0f", 100*y))
		}
	}
	last := -99
	for i, q := range e.Quarters {
		if (i == 0 || q.Quarter == 1) && i-last >= 1+len(e.Quarters)/24 {
			p.tickX(float64(i), fmt.Sprint(q.Year))
			last = i
		}
	}
	var names []string
	for k, l := range shown {
		p.path("aim", palette[k], 2, func(i int) (float64, float64) {
			return float64(i) * p.right,
				e.Confidences[l]
		})
		p.path("line", palette[k], len(e.Quarters), func(i int) (float64, float64) {
			return float64(i), float64(e.Quarters[i].Coverage[h-1][l])
		})
		names = append(names, fmt.Sprintf("%.0f %%", 100*e.Confidences[l]))
	}
	p.key(p.x+12, p.y+p.height-17*float64(len(names)), names)
}

// ticksY marks round values, as label prints them times factor.
func (p *panel) ticksY(factor float64, label string) {
	step := 0.01
	for (p.high-p.low)/step > 8 {
		step *= 2
	}
	for y := math.Ceil(p.low/step) * step; y <= p.high; y += step {
		p.tickY(y, fmt.Sprintf(label, factor*math.Round(y/step)*step))
	}
}
