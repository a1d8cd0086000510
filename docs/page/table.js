// The forecast as a table, and as CSV in the form of tickercast predict -format csv.

import { decimals, showDate, showPrice, showRange, showShare } from "./dom.js";
import { grid } from "./answer.js";

// levelsOf lists the intervals of a row by confidence, with the one that was asked for.
function levelsOf(row, confidence) {
  const asked = { confidence, lower: row.confidence_lower, upper: row.confidence_upper };
  return [...(row.intervals || []).filter((b) => b.confidence !== confidence), asked].sort((a, b) => a.confidence - b.confidence);
}

export function table(series, confidence) {
  const came = series.some((s) => s.came.length > 0);
  const levels = levelsOf(series[0].rows[0], confidence).map((b) => b.confidence);
  return grid(["Ticker", "Date", "Days ahead", came && "Close that came", "Median", ...levels.map(showShare)].filter(Boolean),
    series.flatMap((s) => {
      const first = s.rows[0];
      const digits = decimals(first.confidence_lower, first.confidence_upper);
      return s.rows.map((r, i) => [s.ticker, showDate(r.date), i + 1, ...(came ? [closeOn(s, r.date, digits)] : []),
        showPrice(r.predicted_price, digits), ...levelsOf(r, confidence).map((b) => showRange(b, digits))]);
    }));
}

function closeOn(s, date, digits) {
  const came = s.came.find((c) => c.date === date);
  return came ? showPrice(came.close, digits) : "";
}

// csv has a row for each ticker, day and confidence, with numbers as the server sent them.
export function csv(series, confidence) {
  const head = ["ticker", "as_of", "date", "days_ahead", "confidence", "predicted_price", "confidence_lower", "confidence_upper", "model_version", "close"];
  const rows = series.flatMap((s) => s.rows.flatMap((r, i) => levelsOf(r, confidence).map((b) => [
    s.ticker, s.undated ? "" : s.dates.at(-1), r.date, i + 1, b.confidence, r.predicted_price, b.lower, b.upper, r.model_version,
    s.came.find((c) => c.date === r.date)?.close ?? "",
  ])));
  return [head, ...rows].map((row) => row.map(quote).join(",")).join("\n") + "\n";
}

function quote(value) {
  const text = String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
