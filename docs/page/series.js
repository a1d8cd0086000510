// Gets what the studio draws: for each ticker its closes up to the day of the forecast, the forecast,
// and the closes that came after that day.

import { get, post } from "./api.js";

export const LEVELS = [0.8, 0.9, 0.95, 0.99];
export const LEAST = 30; // closes that a forecast needs

const KEPT = 60000; // ms for which closes are not asked for again
const kept = new Map(); // closes by ticker as asked

// fetchSeries returns {ticker, end, dates, closes, came, rows}: end is the date of the newest close,
// dates and closes go up to the day of the forecast, and came lists the closes after it by date.
export async function fetchSeries(ticker, ask, signal) {
  const body = requestFor(ticker, ask);
  const old = kept.get(ticker);
  const known = old && performance.now() - old.at < KEPT ? old : null;
  const [rows, fresh] = await Promise.all([post("/predict", body, signal), known ? known.past : closesOf(ticker, signal)]);
  let past = fresh;
  const mark = `${rows[0].model_version} ${rows[0].date}`;
  // Other data answer than those that the closes are from: these are asked for again.
  if (known && !ask.asOf && known.mark && known.mark !== mark) past = await closesOf(ticker, signal);
  if (past !== known?.past) kept.set(ticker, { past, at: performance.now(), mark: ask.asOf ? undefined : mark });
  else if (!ask.asOf) known.mark = mark;
  const at = ask.asOf ? past.closes.findLastIndex((c) => c.date <= ask.asOf) : past.closes.length - 1;
  return shape(past.ticker, past.closes, at, rows);
}

// closesOf asks for as many closes as the server gives: the slider goes back through them.
const closesOf = (ticker, signal) => get(`/tickers/${encodeURIComponent(ticker)}?limit=1000`, signal);

// requestFor is the body of POST /predict for a ticker.
function requestFor(ticker, { days, confidence, asOf }) {
  return { ticker, days_ahead: days, confidence_interval: confidence, ...(asOf && { as_of: asOf }), levels: LEVELS };
}

// fetchOwn is fetchSeries for closes that the reader pasted.
export async function fetchOwn(ask, signal) {
  const { dates, closes, name } = ask.own;
  const at = ask.asOf && dates ? dates.findLastIndex((d) => d <= ask.asOf) : closes.length - 1;
  const rows = await post("/predict", { ...ownRequest(ask), levels: LEVELS }, signal);
  const days = dates || weekdaysBefore(rows[0].date, closes.length);
  return { ...shape(name, closes.map((close, i) => ({ date: days[i], close })), at, rows), undated: !dates };
}

// ownRequest is the body of POST /predict for pasted closes up to the day of the forecast.
export function ownRequest({ own, days, confidence, asOf }) {
  const { dates, closes, name } = own;
  const at = asOf && dates ? dates.findLastIndex((d) => d <= asOf) : closes.length - 1;
  // A close on a Saturday and one on a Sunday are of a market that never shuts.
  const open = [6, 0].every((day) => dates?.some((d) => new Date(d).getUTCDay() === day));
  return {
    ticker: name, days_ahead: days, confidence_interval: confidence,
    history: closes.slice(0, at + 1), ...(dates && { as_of: dates[at] }), ...(open && { calendar: "24/7" }),
  };
}

function shape(ticker, all, at, rows) {
  const past = all.slice(0, at + 1);
  const until = rows.at(-1).date;
  return {
    ticker, rows, end: all.at(-1).date, all: all.map((c) => c.date),
    dates: past.map((c) => c.date), closes: past.map((c) => c.close),
    came: all.slice(at + 1).filter((c) => c.date <= until),
  };
}

// weekdaysBefore invents days for closes without dates. They only place the closes on the axis.
function weekdaysBefore(date, n) {
  const out = [];
  const day = new Date(date);
  while (out.length < n) {
    day.setUTCDate(day.getUTCDate() - 1);
    if (day.getUTCDay() % 6) out.unshift(day.toISOString().slice(0, 10));
  }
  return out;
}

// hits counts the closes that came inside the interval of their day.
export function hits(series) {
  let [inside, of] = [0, 0];
  for (const { rows, came } of series) {
    const row = new Map(rows.map((r) => [r.date, r]));
    for (const { date, close } of came) {
      const r = row.get(date);
      if (!r) continue; // a day that the calendar had not expected
      of++;
      if (r.confidence_lower <= close && close <= r.confidence_upper) inside++;
    }
  }
  return { inside, of };
}
