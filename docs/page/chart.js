// The chart on the page: it follows the width of the page, and pointer, finger and keyboard read its
// values.

import { h, showDate, showShare, showWeekday } from "./dom.js";
import { layout, plot, readings } from "./plot.js";
import { cursor, dateOf } from "./cursor.js";

// chart fills a figure. draw shows series with a look, both as layout defines them. clear shows
// nothing, and picture returns what is drawn.
export function chart(figure) {
  let st;
  let at = null; // the step whose values are shown
  let mark;
  const tip = h("div", { class: "tip rest" });
  const stage = h("div", {
    class: "stage",
    onpointermove: (e) => point(e), onclick: (e) => point(e),
    onpointerleave: (e) => e.pointerType === "mouse" && read(null), onblur: () => read(null), onkeydown: key,
  });
  const caption = h("figcaption", { class: "legend" });
  figure.append(stage, tip, caption);
  new ResizeObserver(() => st && st.width !== figure.clientWidth && draw(st.series, st.look)).observe(figure);

  function draw(series, look) {
    st = layout(series, { ...look, width: figure.clientWidth });
    mark = cursor(st);
    stage.replaceChildren(plot(st, mark.el));
    caption.replaceChildren(...legend(st));
    const names = st.lines.map((l) => l.ticker).join(", ");
    const label = `Chart of ${names}: closes from ${dateOf(st, 0)}, forecasts to ${showDate(st.dates.at(-1))}. Arrow keys read it day by day.`;
    for (const [name, value] of Object.entries({
      role: "slider", tabindex: "0", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": st.last,
    })) stage.setAttribute(name, value);
    tip.style.minHeight = "";
    read(null);
    // On a phone the values stand below the chart: what follows them must not move with each day.
    if (getComputedStyle(tip).position === "static") tip.style.minHeight = `${tip.offsetHeight}px`;
  }

  function clear() {
    st = undefined;
    stage.replaceChildren();
    tip.replaceChildren();
    caption.replaceChildren();
    for (const name of [...stage.getAttributeNames()]) if (name !== "class") stage.removeAttribute(name);
  }

  function point(e) {
    if (!st) return;
    const box = stage.getBoundingClientRect();
    read(st.stepAt(e.clientX - box.left), e.clientY - box.top);
  }

  function key(e) {
    if (!st) return;
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5 }[e.key];
    const to = { Home: 0, End: st.last, Escape: null }[e.key];
    if (by === undefined && to === undefined) return;
    e.preventDefault();
    read(by ? (at ?? st.now) + by : to);
  }

  function read(step, height) {
    if (!st) return;
    at = step === null ? null : Math.max(0, Math.min(st.last, step));
    const shown = at ?? st.last;
    const list = readings(st, shown);
    const date = dateOf(st, shown);
    stage.setAttribute("aria-valuenow", shown);
    stage.setAttribute("aria-valuetext", `${date}: ${list.map(([name, value]) => `${name} ${value}`).join("; ")}`);
    mark.move(at, height);
    tip.classList.toggle("rest", at === null);
    const ahead = shown - st.now;
    tip.replaceChildren(
      h("p", { class: "when" }, st.undated && ahead <= 0 ? date : `${showWeekday(st.dates[shown])} ${date}`,
        ahead > 0 && h("span", {}, `${ahead} ${ahead === 1 ? "day" : "days"} ahead`)),
      h("table", {}, h("tbody", {}, list.map(([name, value, kind]) => h("tr", {}, h("th", { class: kind, scope: "row" }, name), h("td", {}, value))))));
    if (at === null) return;
    const [x, room] = [st.x(at), tip.offsetWidth + 14];
    tip.style.left = `${x + room > st.width ? Math.max(0, x - room) : x + 14}px`;
  }

  return { draw, clear, picture: () => st && { st, svg: plot(st) } };
}

// legend explains lines and shades.
function legend(st) {
  const item = (kind, text) => h("span", {}, h("i", { class: kind }), text);
  const asked = showShare(st.confidence);
  const came = st.lines.flatMap((l) => l.came);
  const after = [came.length > 0 && item("line came", "closes that came"), came.some((c) => !c[2]) && item("miss", `outside of ${asked}`)];
  if (st.compare) {
    return [item("line", "median"), item("dash", `${asked} interval`), ...after,
      h("span", {}, "change since each ticker’s last close")].filter(Boolean);
  }
  return [item("line past", "closes"), item("line", "median"), item("dash", `${asked} interval`), ...after,
    ...st.shares.map((c, i) => item(`depth-${i}`, showShare(c))).reverse()].filter(Boolean);
}
