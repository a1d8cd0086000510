package train

import (
	"fmt"

	"tickercast/model"
)

const againstRow, againstHeight = 832, 200

// plotHeight is that of the whole picture, which is longer with a comparison.
func (e *Evaluation) plotHeight() int {
	if e.Against == nil {
		return 772
	}
	return againstRow + againstHeight + 70
}

// plotAgainst draws how much lower the loss of the model is than that of the other weights, by
// horizon and by year, with two standard errors on either side.
func (e *Evaluation) plotAgainst(p *plot) {
	if e.Against == nil {
		return
	}
	p.x, p.y, p.width, p.height = 64, againstRow, 380, againstHeight
	p.left, p.right = 0, model.MaxDays+1
	p.differences(e.Against.ByHorizon[:], 1, fmt.Sprintf("Loss below that of %s",
		e.Against.Model), "trading days ahead; bars are two standard errors")
	for _, h := range [...]int{1, 5, 10, 15, 20, 25, 30} {
		p.tickX(float64(h), fmt.Sprint(h))
	}
	var years []Difference
	for i := range e.Against.Years {
		years = append(years, e.Against.Years[i].Difference)
	}
	p.x, p.width = 540, 390
	p.left, p.right = -0.5, float64(len(years))-0.5
	p.differences(years, 0, "The same by year", "mean over horizons; above zero the model is better")
	step := 1 + (len(years)-1)/12
	for i := 0; i < len(years); i += step {
		p.tickX(float64(i), fmt.Sprint(e.Against.Years[i].Year))
	}
}

// differences draws points with bars, the first at an x.
func (p *plot) differences(all []Difference, first float64, title, below string) {
	p.low, p.high = -0.005, 0.005
	for _, d := range all {
		p.stretch(d.Difference - 2*d.StandardError)
		p.stretch(d.Difference + 2*d.StandardError)
		p.stretch(d.Difference) // without a standard error too
	}
	p.low, p.high = p.low-0.002, p.high+0.002
	p.frame(title, "per cent", below, nil)
	p.percentTicks()
	for i, d := range all {
		if !d.Difference.Finite() {
			continue
		}
		x, y := p.px(first+float64(i)), float64(d.Difference)
		if d.StandardError.Finite() {
			p.printf(`<line x1="%.1f" x2="%.1[1]f" y1="%.1f" y2="%.1f" stroke="%s" `+
				`stroke-width="2"/>`+"\n", x, p.py(y-2*float64(d.StandardError)),
				p.py(y+2*float64(d.StandardError)), palette[0])
		}
		p.printf(`<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>`+"\n", x, p.py(y), palette[0])
	}
}
