// Draws a fan chart as SVG. A step of the axis is a trading day: 0 is the last close, 1 the first
// forecast. One ticker is drawn in prices, several as change since their last close.

import { svg, showChange, showDate, showMonth, showPrice, showRange, showShare } from "./dom.js";

const TOP = 26;
const BOTTOM = 26;
const LETTER = 8.8; // the widest letter of an axis label

// layout computes lines and scales. A series is {ticker, dates, closes, rows}, with the rows of the API.
export function layout(series, confidence, width) {
  const compare = series.length > 1;
  const lines = series.map((s, index) => {
    const last = s.closes.at(-1);
    const value = compare ? (price) => price / last - 1 : (price) => price;
    const chosen = s.rows.map((r) => ({ confidence, lower: r.confidence_lower, upper: r.confidence_upper }));
    const shares = (s.rows[0].intervals || []).map((b) => b.confidence).sort((a, b) => b - a);
    return {
      ...s, index, last, value, chosen,
      bands: compare ? [chosen] : shares.map((c) => s.rows.map((r) => r.intervals.find((i) => i.confidence === c))),
      past: s.closes.map((c, i) => [i - s.closes.length + 1, value(c)]),
      median: [[0, value(last)], ...s.rows.map((r, i) => [i + 1, value(r.predicted_price)])],
    };
  });
  const longest = lines.reduce((a, b) => (b.closes.length > a.closes.length ? b : a));
  const first = 1 - longest.closes.length;
  const last = Math.max(...lines.map((l) => l.rows.length));

  const values = lines.flatMap((l) => [...l.past.map((p) => p[1]),
    ...[...l.bands, l.chosen].flat().flatMap((b) => [l.value(b.lower), l.value(b.upper)])]);
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const pad = (max - min) * 0.04 || Math.abs(max) * 0.01;
  const [low, high] = [min - pad, max + pad];
  const height = Math.round(Math.max(250, Math.min(430, width * 0.46)));
  const ticks = labelTicks(low, high, height / 45, compare);
  const ends = lines.flatMap((l) => endsOf(l, compare));

  const left = 10 + (LETTER - 1) * Math.max(...ticks.map((t) => t.text.length));
  const right = width - 12 - LETTER * Math.max(...ends.map((e) => e.text.length));
  const step = (right - left) / (last - first);
  return {
    series, lines, ends, ticks, confidence, compare, width, height, left, right, first, last,
    x: (i) => left + (i - first) * step,
    y: (v) => TOP + ((high - v) / (high - low)) * (height - TOP - BOTTOM),
    stepAt: (px) => Math.round((px - left) / step) + first,
    date: (i) => (i <= 0 ? longest.dates.at(i - 1) : lines.find((l) => l.rows.length >= i).rows[i - 1].date),
    shares: compare ? [] : lines[0].bands.map((b) => b[0].confidence),
  };
}

// labelTicks chooses round values and writes them with as many digits as make them differ.
function labelTicks(low, high, count, compare) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const digits = Math.min(20, Math.max(0, -Math.floor(Math.log10(step) + 1e-9) - (compare ? 2 : 0)));
  const write = (v) => v.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const out = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) {
    const sign = i > 0 ? "+" : i < 0 ? "−" : "";
    out.push({ v: i * step, text: compare ? `${sign}${write(Math.abs(i * step * 100))} %` : write(i * step) });
  }
  return out;
}

// endsOf returns the labels at the ends of the lines of a ticker.
function endsOf(l, compare) {
  const [row, kind] = [l.rows.at(-1), `series-${l.index}`];
  if (compare) return [{ kind, v: l.value(row.predicted_price), text: l.ticker }];
  return [
    { kind: "minor", v: row.confidence_upper, text: showPrice(row.confidence_upper) },
    { kind, v: row.predicted_price, text: showPrice(row.predicted_price) },
    { kind: "minor", v: row.confidence_lower, text: showPrice(row.confidence_lower) }];
}

// plot draws a layout, and the given elements over it.
export function plot(st, over) {
  const { x, y, width, height, left, right } = st;
  const floor = height - BOTTOM;
  const line = (kind, x1, y1, x2, y2) => svg("line", { class: kind, x1, y1, x2, y2 });
  const text = (kind, at, down, anchor, label) => svg("text", { class: kind, x: at, y: down, "text-anchor": anchor }, label);
  const path = (points) => points.map(([i, v], n) => `${n ? "L" : "M"}${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join("");

  const out = st.ticks.map((t) => [line("rule", left, y(t.v), right, y(t.v)), text("tick", left - 8, y(t.v) + 4, "end", t.text)]);
  let taken = -Infinity;
  for (let i = st.first + 1; i <= st.last; i++) {
    const [date, before] = [st.date(i), st.date(i - 1)];
    if (date.slice(0, 7) === before.slice(0, 7) || x(i) - taken < 44) continue;
    taken = x(i);
    const year = date.slice(0, 4);
    out.push(line("notch", x(i), floor, x(i), floor + 5),
      text("tick", x(i), height - 6, "middle", showMonth(date) + (year === before.slice(0, 4) ? "" : ` ${year}`)));
  }
  const start = x(0) < 150; // otherwise the words do not fit on the left
  out.push(line("now", x(0), TOP - 4, x(0), floor),
    text("tick", x(0) + (start ? 6 : -6), TOP - 10, start ? "start" : "end", `last close ${showDate(st.date(0))}`));
  for (const l of st.lines) {
    const edge = (band, side) => [[0, l.value(l.last)], ...band.map((b, i) => [i + 1, l.value(b[side])])];
    const area = (band) => `${path([...edge(band, "upper"), ...edge(band, "lower").reverse()])}Z`;
    out.push(svg("g", { class: `series-${l.index}` },
      l.bands.map((band) => svg("path", { class: "band", d: area(band) })),
      ["upper", "lower"].map((side) => svg("path", { class: "edge", d: path(edge(l.chosen, side)) })),
      svg("path", { class: "past", d: path(l.past) }), svg("path", { class: "median", d: path(l.median) })));
  }
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" },
    out, apart(st, floor).map((e) => text(`end ${e.kind}`, right + 7, e.y + 4, "start", e.text)), over);
}

// apart places the labels at the ends of lines so that none covers another.
function apart(st, floor) {
  const labels = st.ends.map((e) => ({ ...e, y: st.y(e.v) })).sort((a, b) => a.y - b.y);
  labels.forEach((l, i) => { if (i) l.y = Math.max(l.y, labels[i - 1].y + 15); });
  const over = Math.max(0, labels.at(-1).y - floor);
  return labels.map((l) => ({ ...l, y: l.y - over }));
}

// cursor makes the line and the dots that move over the plot.
export function cursor(st) {
  const line = svg("line", { y1: TOP, y2: st.height - BOTTOM });
  const dots = st.lines.map((l) => svg("circle", { class: `series-${l.index}`, r: 4 }));
  const el = svg("g", { class: "cursor" }, line, dots);
  const move = (at) => {
    el.classList.toggle("on", at !== null);
    if (at === null) return;
    for (const side of ["x1", "x2"]) line.setAttribute(side, st.x(at));
    dots.forEach((dot, n) => {
      const point = at <= 0 ? st.lines[n].past.at(at - 1) : st.lines[n].median[at];
      dot.setAttribute("cx", st.x(at));
      dot.setAttribute("cy", point ? st.y(point[1]) : -9); // out of sight
    });
  };
  return { el, move };
}

// readings lists the values of one step, each with a name and a CSS class.
export function readings(st, at) {
  return st.lines.flatMap((l) => {
    const kind = `series-${l.index}`;
    const close = at <= 0 ? l.closes.at(at - 1) : undefined;
    if (close !== undefined) return [[st.compare ? l.ticker : "close", showPrice(close), kind]];
    const row = at > 0 && l.rows[at - 1];
    if (!row) return [];
    const median = `${showPrice(row.predicted_price)} (${showChange(row.predicted_price / l.last - 1)})`;
    const chosen = l.chosen[at - 1];
    if (st.compare) return [[l.ticker, `${median}, ${showRange(chosen)}`, kind]];
    const bands = st.shares.includes(st.confidence) ? row.intervals : [...(row.intervals || []), chosen];
    return [["median", median, kind], ...[...bands].sort((a, b) => a.confidence - b.confidence)
      .map((b) => [showShare(b.confidence), showRange(b), b.confidence === st.confidence ? "chosen" : ""])];
  });
}
