// The chart on the page: it follows the width of the page, and pointer and keyboard read its values.

import { h, showDate, showShare, showWeekday } from "./dom.js";
import { cursor, layout, plot, readings } from "./plot.js";

// chart fills a figure and returns a function that draws series into it. layout defines the series.
export function chart(figure) {
  let st;
  let at = null; // the step whose values are shown
  let mark;
  const tip = h("div", { class: "tip", hidden: true });
  const stage = h("div", {
    class: "stage", tabindex: "0", role: "slider",
    onpointermove: (e) => st && read(st.stepAt(e.clientX - stage.getBoundingClientRect().left)),
    onpointerleave: (e) => e.pointerType === "mouse" && read(null), onblur: () => read(null), onkeydown: key,
  });
  const caption = h("figcaption", { class: "legend" });
  figure.append(stage, tip, caption);
  new ResizeObserver(() => st && st.width !== figure.clientWidth && draw(st.series, st.confidence)).observe(figure);

  function draw(series, confidence) {
    st = layout(series, confidence, figure.clientWidth);
    mark = cursor(st);
    stage.replaceChildren(plot(st, mark.el));
    caption.replaceChildren(...legend(st));
    const names = st.lines.map((l) => l.ticker).join(", ");
    stage.setAttribute("aria-label", `Chart of ${names}: closes from ${showDate(st.date(st.first))}, forecasts to ${showDate(st.date(st.last))}. Arrow keys read it day by day.`);
    stage.setAttribute("aria-valuemin", st.first);
    stage.setAttribute("aria-valuemax", st.last);
    read(null);
  }

  function key(e) {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5 }[e.key];
    const to = { Home: st?.first, End: st?.last, Escape: null }[e.key];
    if (by === undefined && to === undefined) return;
    e.preventDefault();
    read(by ? (at ?? 0) + by : to);
  }

  function read(step) {
    if (!st) return;
    at = step === null ? null : Math.max(st.first, Math.min(st.last, step));
    const shown = at ?? st.last;
    const list = readings(st, shown);
    stage.setAttribute("aria-valuenow", shown);
    stage.setAttribute("aria-valuetext", `${showDate(st.date(shown))}: ${list.map(([name, value]) => `${name} ${value}`).join("; ")}`);
    mark.move(at);
    tip.hidden = at === null;
    if (at === null) return;
    const date = st.date(at);
    tip.replaceChildren(
      h("p", { class: "when" }, `${showWeekday(date)} ${showDate(date)}`, at > 0 && h("span", {}, `${at} ${at === 1 ? "day" : "days"} ahead`)),
      h("table", {}, h("tbody", {}, list.map(([name, value, kind]) => h("tr", {}, h("th", { class: kind }, name), h("td", {}, value))))));
    const [x, room] = [st.x(at), tip.offsetWidth + 14];
    tip.style.left = `${x + room > st.width ? Math.max(0, x - room) : x + 14}px`;
  }

  return draw;
}

// legend explains lines and shades.
function legend(st) {
  const item = (kind, text) => h("span", {}, h("i", { class: kind }), text);
  const asked = showShare(st.confidence);
  if (st.compare) return [item("line", "median"), item("", `${asked} interval`)];
  return [item("line", "median"), item("dash", `${asked} interval`), ...st.shares.map((c, i) => item(`depth-${i}`, showShare(c))).reverse()];
}
