// The question that the studio asks, and the address of the page that asks it:
// /docs?t=AAPL,MSFT&d=10&c=0.95&w=63&y=log&o=2026-02-18.

export const MOST = 4; // tickers at once

export const WINDOWS = [[22, "1M", "1 month"], [63, "3M", "3 months"], [126, "6M", "6 months"], [252, "1Y", "1 year"]];

// fromAddress returns the question, and how many tickers there were too many.
export function fromAddress() {
  const q = new URLSearchParams(location.search);
  const within = (value, lo, hi, other) => (value !== null && value >= lo && value <= hi ? +value : other);
  // A comma in a name is escaped, so names are cut apart before they are decoded.
  const raw = location.search.slice(1).split("&").find((pair) => pair.startsWith("t="))?.slice(2) || "";
  const names = [...new Set(raw.replaceAll("+", " ").split(",").map((t) => decode(t).trim()).filter(Boolean))];
  const date = q.get("o") || "";
  return {
    tickers: names.slice(0, MOST), extra: names.slice(MOST),
    days: Math.round(within(q.get("d"), 1, 30, 20)),
    confidence: within(q.get("c"), 0.8, 0.99, 0.95),
    window: WINDOWS.find(([n]) => String(n) === q.get("w"))?.[0] || 63,
    log: q.get("y") === "log",
    asOf: /^\d{4}-\d\d-\d\d$/.test(date) ? date : null,
    own: null,
  };
}

function decode(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

// addressOf is the address of a question, with the date of the forecast if it is given one.
export function addressOf({ tickers, days, confidence, window, log }, asOf) {
  const names = tickers.map(encodeURIComponent).join(",");
  return `${location.pathname}?t=${names}&d=${days}&c=${confidence}&w=${window}${log ? "&y=log" : ""}${asOf ? `&o=${asOf}` : ""}`;
}
