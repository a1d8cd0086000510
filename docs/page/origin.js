// The slider that moves the day of the forecast back.

import { $, showDate } from "./dom.js";
import { LEAST } from "./series.js";

const BACK = 250; // most trading days to go back

// origin starts the slider. It calls onchange with the day to forecast from, or with null for the
// newest. set gives it the series on screen and the day.
export function origin(onchange) {
  let days = []; // that can be chosen, oldest first
  const [slider, date] = [$("origin"), $("origin-date")];
  const label = () => {
    const back = slider.max - slider.value;
    const text = back ? `${back} ${back === 1 ? "day" : "days"} back` : "latest";
    $("origin-out").textContent = text;
    slider.setAttribute("aria-valuetext", days.length ? `${showDate(days[slider.value])}, ${text}` : text);
    $("latest").hidden = !back;
  };
  const choose = (i) => onchange(i >= days.length - 1 ? null : days[i]);
  slider.addEventListener("input", () => {
    if (!days.length) return;
    date.value = days[slider.value];
    label();
    choose(+slider.value);
  });
  date.addEventListener("change", () => {
    if (!days.length || !date.value) return;
    // A day without trading means the last one before it.
    const i = Math.max(0, days.findLastIndex((d) => d <= date.value));
    slider.value = i;
    date.value = days[i];
    label();
    choose(i);
  });
  $("latest").addEventListener("click", () => onchange(null));

  function set(series, asOf) {
    const dated = series.length > 0 && !series.some((s) => s.undated);
    const all = dated ? [...new Set(series.flatMap((s) => s.all))].sort() : [];
    // Each ticker needs enough closes up to the day.
    const least = series.map((s) => s.all[Math.min(LEAST, s.all.length) - 1]).sort().at(-1);
    days = all.filter((d) => d >= least).slice(-BACK - 1);
    if (asOf && days.length && asOf < days[0]) days.unshift(asOf);
    slider.disabled = date.disabled = days.length < 2;
    if (!days.length) {
      date.value = "";
      $("origin-out").textContent = "latest";
      $("latest").hidden = true;
      return;
    }
    slider.max = days.length - 1;
    slider.value = asOf ? Math.max(0, days.findLastIndex((d) => d <= asOf)) : days.length - 1;
    date.value = days[slider.value];
    date.min = days[0];
    date.max = days.at(-1);
    label();
  }
  return { set };
}
