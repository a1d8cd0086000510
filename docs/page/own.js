// Reads closes that the reader pastes: one a line or on one line, with dates or without.

import { $, h } from "./dom.js";
import { LEAST } from "./series.js";

const MOST = 2000;
const NAME = "MINE";

// own starts the panel. It calls onchange with {name, closes, dates} as the reader types, or with
// null for none; dates is null where there are none.
export function own(onchange) {
  const area = $("closes");
  const said = $("closes-said");
  let timer;
  const update = () => {
    const { closes, dates, fault } = parse(area.value);
    said.className = fault ? "error" : "hint";
    said.textContent = fault || (closes.length ? `${closes.length} closes${dates ? ` from ${dates[0]} to ${dates.at(-1)}` : ", without dates: taken as the last trading days"}.` : "");
    if (!fault) onchange(closes.length ? { name: NAME, closes, dates } : null);
  };
  area.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(update, 200); // when the typing rests
  });
  $("closes-clear").addEventListener("click", () => {
    area.value = "";
    update();
  });
  return () => { // the reader turns to listed tickers
    area.value = "";
    said.replaceChildren(h("span", {}));
  };
}

const DATE = /\b(\d{4})[-/.](\d\d?)[-/.](\d\d?)\b/;

// parse returns {closes, dates} of a text, or a fault for the reader. A line with a date has its
// close last. Lines of a CSV may be in any order; a header is passed over.
export function parse(text) {
  const lines = text.split(/\r?\n/).map((l) => l.trim()).filter(Boolean);
  if (!lines.length) return { closes: [] };
  const dated = lines.filter((l) => DATE.test(l)).length;
  let rows = [];
  if (dated) {
    for (const [i, line] of lines.entries()) {
      const date = line.match(DATE);
      if (!date && i === 0) continue; // a header
      if (!date) return { fault: `Line ${i + 1}, “${short(line)}”, has no date but others have one.` };
      const rest = line.slice(date.index + date[0].length).split(/[\t;, ]+/).map((x) => x.replace(/["$€£]/g, "")).filter(Boolean);
      const close = Number(rest.at(-1));
      if (!rest.length || !(close > 0)) return { fault: `Line ${i + 1}, “${short(line)}”, does not end with a close above zero.` };
      rows.push([`${date[1]}-${date[2].padStart(2, "0")}-${date[3].padStart(2, "0")}`, close]);
    }
    rows.sort((a, b) => (a[0] < b[0] ? -1 : 1));
    const twice = rows.find((r, i) => i && r[0] === rows[i - 1][0]);
    if (twice) return { fault: `The day ${twice[0]} is there twice.` };
  } else {
    const words = text.replace(/["$€£[\]]/g, " ").split(/[\s;,]+/).filter(Boolean);
    if (words.length && Number.isNaN(Number(words[0]))) words.shift(); // a header
    for (const word of words) {
      if (!(Number(word) > 0)) return { fault: `“${short(word)}” is not a close above zero. Write 1234.56 for numbers.` };
    }
    rows = words.map((w) => [null, Number(w)]);
  }
  if (rows.length < LEAST) return { fault: `A forecast needs at least ${LEAST} closes, oldest first. There are ${rows.length} so far.` };
  rows = rows.slice(-MOST);
  return { closes: rows.map((r) => r[1]), dates: dated ? rows.map((r) => r[0]) : null };
}

const short = (s) => (s.length > 30 ? `${s.slice(0, 30)}…` : s);
