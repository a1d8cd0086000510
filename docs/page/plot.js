// Draws a fan chart as SVG. A step of the axis is a day on which one of the series has a close or a
// forecast, so series that end on different days stand at their own days. One ticker is drawn in
// prices, several as change since their last close.

import { decimals, showChange, showDate, showPrice, showRange, showShare, svg } from "./dom.js";
import { days, values, widthOf } from "./scale.js";

export const TOP = 26;
export const BOTTOM = 26;
const GAP = 15; // between the labels at the ends

// layout computes lines and scales. series.js defines a series; the look has confidence, window, log
// and the width of the chart.
export function layout(series, look) {
  const { confidence, width } = look;
  const compare = series.length > 1;
  const cut = series.map((s) => ({ ...s, dates: s.dates.slice(-look.window), closes: s.closes.slice(-look.window) }));
  const dates = [...new Set(cut.flatMap((s) => [...s.dates, ...s.rows.map((r) => r.date), ...s.came.map((c) => c.date)]))].sort();
  const step = new Map(dates.map((d, i) => [d, i]));
  const lines = cut.map((s, index) => lineOf(s, index, step, compare, confidence));
  const now = Math.max(...lines.map((l) => l.now));

  const all = lines.flatMap((l) => [...l.past, ...l.came, ...l.bands.flatMap((b) => [...b.upper, ...b.lower]), ...l.edge.upper, ...l.edge.lower])
    .map((p) => p[1]);
  const log = look.log;
  // On a scale of ratios equal ratios have equal heights.
  const [to, from] = log ? [(v) => Math.log(compare ? 1 + v : v), (u) => Math.exp(u) - (compare ? 1 : 0)] : [(v) => v, (u) => u];
  const [min, max] = [to(Math.min(...all)), to(Math.max(...all))];
  const pad = (max - min) * 0.05 || Math.abs(max) * 0.01 || 0.01;
  const [low, high] = [min - pad, max + pad];
  const height = Math.round(Math.max(250, Math.min(430, width * 0.46)));
  const floor = height - BOTTOM;
  const y = (v) => TOP + ((high - to(v)) / (high - low)) * (floor - TOP);
  const ticks = values(from(low), from(high), height / 45, { log, percent: compare })
    .filter((t, i, list) => !i || Math.abs(y(t.v) - y(list[i - 1].v)) > 16 || !log);
  const ends = lines.flatMap((l) => endsOf(l, compare));

  const left = 12 + Math.max(...ticks.map((t) => widthOf(t.text)));
  const right = width - 10 - Math.max(...ends.map((e) => widthOf(e.text, true)));
  const stride = (right - left) / (dates.length - 1);
  const x = (i) => left + i * stride;
  return {
    series, look, lines, dates, now, ticks, compare, confidence, width, height, floor, left, right, x, y,
    ends: place(ends, x, y, right, floor),
    days: days(dates, x, left, width),
    last: dates.length - 1,
    undated: series.some((s) => s.undated),
    earlier: series.some((s) => s.came.length > 0 || s.dates.at(-1) < s.end),
    valueAt: (py) => from(high - ((py - TOP) / (floor - TOP)) * (high - low)),
    stepAt: (px) => Math.round((px - left) / stride),
    shares: compare ? [] : lines[0].bands.map((b) => b.confidence),
  };
}

function lineOf(s, index, step, compare, confidence) {
  const last = s.closes.at(-1);
  const value = compare ? (price) => price / last - 1 : (price) => price;
  const start = [step.get(s.dates.at(-1)), value(last)];
  const at = (rows, pick) => [start, ...rows.map((r) => [step.get(r.date), value(pick(r))])];
  const levels = (s.rows[0].intervals || []).map((b) => b.confidence).sort((a, b) => b - a);
  const band = (c) => (r) => r.intervals.find((i) => i.confidence === c);
  const end = s.rows.at(-1);
  return {
    ...s, index, last, value, now: start[0],
    past: s.closes.map((c, i) => [step.get(s.dates[i]), value(c)]),
    came: s.came.map((c) => [step.get(c.date), value(c.close), inside(s.rows, c)]),
    median: at(s.rows, (r) => r.predicted_price),
    edge: { upper: at(s.rows, (r) => r.confidence_upper), lower: at(s.rows, (r) => r.confidence_lower) },
    bands: compare ? [] : levels.map((c) => ({
      confidence: c, upper: at(s.rows, (r) => band(c)(r).upper), lower: at(s.rows, (r) => band(c)(r).lower),
    })),
    row: new Map(s.rows.map((r) => [step.get(r.date), r])),
    close: new Map([...s.dates.map((d, i) => [step.get(d), s.closes[i]]), ...s.came.map((c) => [step.get(c.date), c.close])]),
    digits: decimals(end.confidence_lower, end.confidence_upper),
    asked: confidence,
  };
}

const inside = (rows, c) => {
  const r = rows.find((row) => row.date === c.date);
  return !r || (r.confidence_lower <= c.close && c.close <= r.confidence_upper);
};

// endsOf returns the labels at the end of the lines of a ticker: of several the name, at the upper
// edge, since the medians all end near no change.
function endsOf(l, compare) {
  const kind = `series-${l.index}`;
  const row = l.rows.at(-1);
  const [i] = l.median.at(-1);
  if (compare) return [{ i, kind, v: l.value(row.confidence_upper), text: l.ticker }];
  const label = (name, price) => ({ i, kind: name, v: price, text: showPrice(price, l.digits) });
  return [label("minor", row.confidence_upper), label(kind, row.predicted_price), label("minor", row.confidence_lower)];
}

// place puts labels in the margin, and that of a line which ends long before the others at its end.
function place(ends, x, y, right, floor) {
  const at = (e) => (x(e.i) + widthOf(e.text, true) + 20 < right ? x(e.i) : right);
  const columns = Map.groupBy(ends.map((e) => ({ ...e, x: at(e), y: y(e.v) })), (e) => e.x);
  return [...columns.values()].flatMap((labels) => apart(labels, floor));
}

// apart moves labels so that none covers another and all are inside the plot.
function apart(labels, floor) {
  labels.sort((a, b) => a.y - b.y);
  labels.forEach((l, i) => { l.y = Math.max(l.y, i ? labels[i - 1].y + GAP : TOP); });
  labels.reduceRight((limit, l) => {
    l.y = Math.min(l.y, limit);
    return l.y - GAP;
  }, floor - 6);
  return labels;
}

// plot draws a layout, and the given elements over it.
export function plot(st, over) {
  const { x, y, width, height, left, right, floor } = st;
  const line = (kind, x1, y1, x2, y2) => svg("line", { class: kind, x1, y1, x2, y2 });
  const text = (kind, at, down, anchor, label) => svg("text", { class: kind, x: at, y: down, "text-anchor": anchor }, label);
  const path = (points) => points.map(([i, v], n) => `${n ? "L" : "M"}${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join("");

  const out = st.ticks.map((t) => [line("rule", left, y(t.v), right, y(t.v)), text("tick", left - 8, y(t.v) + 4, "end", t.text)]);
  for (const { i, text: label } of st.undated ? st.days.filter((d) => d.i > st.now) : st.days) {
    out.push(line("notch", x(i), floor, x(i), floor + 5), text("tick", x(i), height - 6, "middle", label));
  }
  const label = st.undated ? "last close" : `${st.earlier ? "as of" : "last close"} ${showDate(st.dates[st.now])}`;
  const wide = widthOf(label) + 8;
  const start = x(st.now) - wide < 0; // the words do not fit on the left
  for (const i of new Set(st.lines.map((l) => l.now))) out.push(line("now", x(i), TOP - 4, x(i), floor));
  out.push(text("tick", x(st.now) + (start ? 6 : -6), TOP - 10, start ? "start" : "end", label));
  for (const l of st.lines) {
    const area = (b) => `${path([...b.upper, ...b.lower.toReversed()])}Z`;
    out.push(svg("g", { class: `series-${l.index}` },
      l.bands.map((b) => svg("path", { class: "band", d: area(b) })),
      ["upper", "lower"].map((side) => svg("path", { class: "edge", d: path(l.edge[side]) })),
      svg("path", { class: "past", d: path(l.past) }), svg("path", { class: "median", d: path(l.median) }),
      l.came.length > 0 && svg("path", { class: "came", d: path([l.past.at(-1), ...l.came]) }),
      l.came.map(([i, v, hit]) => svg("circle", { class: hit ? "hit" : "miss", cx: x(i), cy: y(v), r: hit ? 2.2 : 4 }))));
  }
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" },
    out, st.ends.map((e) => text(`end ${e.kind}`, e.x + 7, e.y + 4, "start", e.text)), over);
}

// readings lists the values of one step, each with a name and a CSS class.
export function readings(st, at) {
  return st.lines.flatMap((l) => {
    const kind = `series-${l.index}`;
    const close = l.close.get(at);
    const row = l.row.get(at);
    const shown = close !== undefined && [st.compare ? l.ticker : row ? "close that came" : "close", showPrice(close, l.digits), kind];
    if (!row) return shown ? [shown] : [];
    const digits = decimals(row.confidence_lower, row.confidence_upper);
    const median = `${showPrice(row.predicted_price, digits)} (${showChange(row.predicted_price / l.last - 1)})`;
    const chosen = { confidence: st.confidence, lower: row.confidence_lower, upper: row.confidence_upper };
    if (st.compare) return [[l.ticker, `${median}, ${showRange(chosen, digits)}`, kind], ...(shown ? [["came", shown[1], kind]] : [])];
    const bands = [...(row.intervals || []).filter((b) => b.confidence !== st.confidence), chosen];
    return [...(shown ? [shown] : []), ["median", median, kind], ...bands.sort((a, b) => a.confidence - b.confidence)
      .map((b) => [showShare(b.confidence), showRange(b, digits), b === chosen ? "chosen" : ""])];
  });
}
