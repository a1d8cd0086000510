// Chooses the values and days that the axes of a chart name.

import { showMonth } from "./dom.js";

let pen;

// widthOf is the width of a text of the chart in pixels.
export function widthOf(text, bold) {
  pen ||= document.createElement("canvas").getContext("2d");
  pen.font = `${bold ? 650 : 400} 12px ${getComputedStyle(document.body).fontFamily}`;
  return Math.ceil(pen.measureText(text).width) + 2;
}

// values returns ticks {v, text} between low and high: round values with as many digits as make them
// differ. With percent they are ratios, shown as changes.
export function values(low, high, count, { log, percent }) {
  const wide = log && !percent && high / low > 5;
  const at = wide ? powers(low, high) : steps(low, high, count);
  const digits = wide ? undefined : Math.min(20, Math.max(0, -Math.floor(Math.log10(at[1]) + 1e-9) - (percent ? 2 : 0)));
  const options = wide ? { maximumSignificantDigits: 3 } : { minimumFractionDigits: digits, maximumFractionDigits: digits };
  const write = (v) => v.toLocaleString("en-US", options);
  return at[0].map((v) => {
    const sign = v > 0 ? "+" : v < 0 ? "−" : "";
    return { v, text: percent ? `${sign}${write(Math.abs(v * 100))} %` : write(v) };
  });
}

// steps returns [values, step] of equal steps.
function steps(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const out = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) out.push(i * step);
  return [out, step];
}

// powers returns 1, 2, 5, 10, 20, ... for a scale of ratios.
function powers(low, high) {
  const out = [];
  for (let p = Math.floor(Math.log10(low)); 10 ** p <= high; p++) {
    for (const m of [1, 2, 5]) if (m * 10 ** p >= low && m * 10 ** p <= high) out.push(m * 10 ** p);
  }
  return [out];
}

// days returns ticks {i, text} of an axis of dates: the first trading day of each week if the axis is
// short, and else of each month, or of every second, third, ... where there is no room for all. None
// touches another or leaves the room between left and right.
export function days(dates, x, left, right) {
  const weekly = dates.length <= 40;
  const month = 21 * (x(1) - x(0)); // pixels
  const every = weekly ? 1 : [1, 2, 3, 6].find((n) => n * month >= 46) || 12;
  const out = [];
  let end = left - 20;
  let year = dates[0].slice(0, 4);
  for (let i = 1; i < dates.length; i++) {
    const [date, before] = [dates[i], dates[i - 1]];
    if (weekly ? weekOf(date) === weekOf(before) : date.slice(0, 7) === before.slice(0, 7)) continue;
    if ((date.slice(5, 7) - 1) % every) continue;
    const turn = date.slice(0, 4) !== year ? ` ${date.slice(0, 4)}` : "";
    const text = (weekly ? `${+date.slice(8)} ` : "") + showMonth(date) + turn;
    const half = widthOf(text) / 2;
    if (x(i) - half < end + 10 || x(i) + half > right) continue;
    end = x(i) + half;
    year = date.slice(0, 4);
    out.push({ i, text });
  }
  return out;
}

const weekOf = (date) => Math.floor((Date.parse(date) / 864e5 + 3) / 7); // weeks begin on Monday
