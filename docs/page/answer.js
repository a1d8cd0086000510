// Puts the answer into words: a sentence about one ticker, or a table that compares several.

import { decimals, h, showChange, showDate, showPrice, showRange, showShare } from "./dom.js";
import { hits } from "./series.js";

// answer describes series.
export function answer(series, { confidence, asOf }) {
  const ends = series.map((s) => {
    const [last, end] = [s.closes.at(-1), s.rows.at(-1)];
    const range = { lower: end.confidence_lower, upper: end.confidence_upper };
    return {
      ...s, last, end, range, digits: decimals(range.lower, range.upper),
      change: `${showChange(range.lower / last - 1)} to ${showChange(range.upper / last - 1)}`,
    };
  });
  const told = [ends.length === 1 ? sentence(ends[0], confidence) : comparison(ends, confidence)];
  const { inside, of } = hits(series);
  if (of) {
    told.push(h("p", { class: "remark hits" }, h("strong", {}, `${inside} of ${of}`),
      ` closes that came were inside the ${showShare(confidence)} interval.`));
  } else if (asOf && series.every((s) => s.came.length === 0)) {
    told.push(h("p", { class: "remark hits" }, "No close has come since then."));
  }
  return told;
}

function sentence({ ticker, dates, last, end, range, change, digits, came, undated }, confidence) {
  const strong = (text) => h("strong", {}, text);
  const on = undated ? "" : ` on ${showDate(dates.at(-1))}`;
  return h("p", {}, strong(ticker), ` closed at ${showPrice(last, digits)}${on}. By ${showDate(end.date)} the median `,
    came.length ? "was " : "is ", strong(showPrice(end.predicted_price, digits)),
    `, and with ${showShare(confidence)} confidence the close ${came.length ? "was to be" : "is"} between `, strong(showPrice(range.lower, digits)), " and ",
    strong(showPrice(range.upper, digits)), ` (${change}).`);
}

// comparison names a date that all share in its head, and others at each ticker: the prices of two
// may end on different days.
function comparison(ends, confidence) {
  const days = (pick) => {
    const all = new Set(ends.map((e) => pick(e)));
    return all.size > 1 ? ["", (e) => h("small", {}, showDate(pick(e)))] : [h("small", {}, showDate(pick(ends[0]))), () => null];
  };
  const [on, closed] = days((e) => e.dates.at(-1));
  const [by, due] = days((e) => e.end.date);
  return h("div", { class: "scroll compare", tabindex: "0", role: "region", "aria-label": "Comparison" },
    grid(["Ticker", ["Last close ", on], ["Median ", by], `${showShare(confidence)} interval`, "As change"], ends.map((e, i) => [
      h("span", { class: `key series-${i}` }, e.ticker),
      [showPrice(e.last, e.digits), closed(e)],
      [showPrice(e.end.predicted_price, e.digits), due(e)],
      [showRange(e.range, e.digits), h("small", {}, e.change)],
      e.change,
    ])));
}

// grid is a table. The first column names its row, and the rest are numbers, to the right.
export const grid = (head, rows) => h("table", { class: "grid-of-numbers" },
  h("thead", {}, h("tr", {}, head.map((t) => h("th", { scope: "col" }, t)))),
  h("tbody", {}, rows.map(([first, ...rest]) => h("tr", {}, h("th", { scope: "row" }, first), rest.map((v) => h("td", {}, v))))));
