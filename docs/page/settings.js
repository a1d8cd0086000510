// The controls of the studio beside the tickers: days, confidence, how much past, and the scale.

import { $, h } from "./dom.js";
import { WINDOWS } from "./question.js";

// settings shows what the question holds and writes changes into it. changed is called when the
// server has to be asked, and redraw when only the drawing differs.
export function settings(ask, changed, redraw) {
  pair("days", () => ask.days, (value) => { ask.days = Math.round(value); }, changed);
  pair("confidence", () => +(ask.confidence * 100).toFixed(4), (value) => { ask.confidence = +(value / 100).toFixed(6); }, changed);

  const buttons = WINDOWS.map(([n, short, long]) => h("button", {
    type: "button", title: long, value: n,
    onclick() {
      ask.window = n;
      mark();
      redraw();
    },
  }, short));
  const mark = () => {
    for (const b of buttons) b.setAttribute("aria-pressed", String(+b.value === ask.window));
    $("log").setAttribute("aria-pressed", String(ask.log));
  };
  $("window").replaceChildren(...buttons);
  $("log").addEventListener("click", () => {
    ask.log = !ask.log;
    mark();
    redraw();
  });
  mark();
  $("ask").addEventListener("submit", (e) => e.preventDefault());
}

// pair keeps a slider and the number field beside it the same. The number may be finer.
function pair(id, read, write, changed) {
  const [slider, number] = [$(id), $(`${id}-number`)];
  const show = () => {
    slider.value = read();
    number.value = read();
  };
  const use = (el, other) => {
    const value = el.valueAsNumber;
    if (!(value >= +el.min && value <= +el.max)) return; // still being typed
    write(value);
    other.value = read();
    changed();
  };
  slider.addEventListener("input", () => use(slider, number));
  number.addEventListener("input", () => use(number, slider));
  number.addEventListener("change", show); // what was typed outside of the limits goes
  show();
}
