// The line, the dots and the tags on the axes that follow the pointer over a chart.

import { showDate, svg } from "./dom.js";
import { widthOf } from "./scale.js";
import { TOP } from "./plot.js";

// cursor returns the element and a function that moves it to a step and, if given, to a height.
export function cursor(st) {
  const down = svg("line", { y1: TOP, y2: st.floor });
  const across = svg("line", { x1: st.left, x2: st.right });
  const dots = st.lines.map((l) => svg("circle", { class: `series-${l.index}`, r: 4 }));
  const value = tag();
  const day = tag();
  const el = svg("g", { class: "cursor" }, across, down, dots, value.el, day.el);
  const move = (at, height) => {
    el.classList.toggle("on", at !== null);
    if (at === null) return;
    const x = st.x(at);
    set(down, { x1: x, x2: x });
    const points = st.lines.map((l) => {
      const close = l.close.get(at);
      const row = l.row.get(at);
      return close === undefined && !row ? undefined : st.y(l.value(close ?? row.predicted_price));
    });
    dots.forEach((dot, n) => set(dot, { cx: x, cy: points[n] ?? -99 })); // out of sight
    const y = Math.max(TOP, Math.min(st.floor, height ?? points.find((p) => p !== undefined) ?? TOP));
    set(across, { y1: y, y2: y });
    value.show(st.left - 4, y + 4, "end", exact(st, st.valueAt(y)));
    const when = dateOf(st, at);
    const half = widthOf(when) / 2 + 5;
    day.show(Math.max(half, Math.min(st.width - half, x)), st.height - 6, "middle", when);
  };
  return { el, move };
}

export const dateOf = (st, at) => (st.undated && at <= st.now ? back(st.now - at) : showDate(st.dates[at]));
const back = (n) => (n ? `${n} ${n === 1 ? "close" : "closes"} earlier` : "last close");

// exact writes a value with one digit more than the ticks.
function exact(st, v) {
  const [low, high] = [st.valueAt(st.floor), st.valueAt(TOP)];
  const digits = Math.max(0, Math.min(20, 2 - Math.floor(Math.log10((high - low) * (st.compare ? 100 : 1)))));
  if (!st.compare) return v.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${v < 0 ? "−" : "+"}${Math.abs(v * 100).toFixed(Math.min(digits, 2))} %`;
}

function tag() {
  const box = svg("rect", { height: 18, rx: 3 });
  const text = svg("text", {});
  return {
    el: svg("g", { class: "tag" }, box, text),
    show(x, y, anchor, label) {
      const width = widthOf(label) + 8;
      const left = anchor === "end" ? x - width + 4 : x - width / 2;
      set(box, { x: Math.max(0, left), y: y - 13, width });
      set(text, { x: Math.max(0, left) + width / 2, y, "text-anchor": "middle" });
      text.textContent = label;
    },
  };
}

function set(el, attributes) {
  for (const [name, value] of Object.entries(attributes)) el.setAttribute(name, value);
}
