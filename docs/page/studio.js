// The studio keeps the question in the address of the page and shows the answer as sentence, chart,
// table and code.

import { $, copy, h, showChange, showDate, showPrice, showRange, showShare } from "./dom.js";
import { get, post, root } from "./api.js";
import { chart } from "./chart.js";
import { picker } from "./picker.js";
import { snippets } from "./snippets.js";

const LEVELS = [0.8, 0.9, 0.95, 0.99];

// studio starts the section and draws the forecast that the address asks for.
export async function studio() {
  const ask = fromAddress();
  const draw = chart($("chart"));
  const code = snippets("The request");
  $("code").append(code.el);
  const choose = picker($("picker"), {
    onchange: (tickers) => { ask.tickers = tickers; changed(); },
    onerror: (err) => trouble(err.message),
  });

  $("days").value = ask.days;
  $("confidence").value = Math.round(ask.confidence * 100);
  $("window").value = ask.window;
  const outputs = () => {
    $("days-out").textContent = ask.days;
    $("confidence-out").textContent = showShare(ask.confidence);
  };
  outputs();
  $("ask").addEventListener("submit", (e) => e.preventDefault());
  $("ask").addEventListener("input", (e) => {
    if (e.target.id === "ticker") return; // the picker handles its field
    Object.assign(ask, { days: +$("days").value, confidence: $("confidence").value / 100, window: $("window").value });
    outputs();
    changed();
  });

  let rows = []; // of the table, to copy as CSV
  $("link").addEventListener("click", () => copy(location.href, $("copied")));
  $("csv").addEventListener("click", () => copy(rows.map((r) => r.join(",")).join("\n"), $("copied")));

  let timer;
  let pending;
  function changed() {
    toAddress(ask);
    pending?.abort();
    clearTimeout(timer);
    timer = setTimeout(load, 60); // a dragged slider asks when it rests
  }

  async function load() {
    if (!ask.tickers.length) return trouble("Choose a ticker to see its forecast.");
    pending = new AbortController();
    const { signal } = pending;
    $("studio").setAttribute("aria-busy", "true");
    const answers = await Promise.allSettled(ask.tickers.map((t) => fetchSeries(t, ask, signal)));
    if (signal.aborted) return; // the question has changed
    $("studio").removeAttribute("aria-busy");
    const found = new Map(answers.filter((a) => a.value).map((a) => [a.value.ticker, a.value])); // aapl is AAPL
    const failed = answers.filter((a) => a.reason).map((a) => a.reason.message);
    trouble([...new Set(failed)].join(" "));
    $("chart").classList.toggle("stale", !found.size);
    if (!found.size) return;
    ask.tickers = [...found.keys()];
    const series = [...found.values()];
    choose(ask.tickers);
    draw(series, ask.confidence);
    $("answer").replaceChildren(summary(series, ask));
    rows = table(series);
    $("table").lastElementChild.replaceChildren(tableElement(rows, ask.confidence));
    code.update(request(ask));
  }

  async function start() {
    try {
      if (!ask.tickers.length) ask.tickers = await firstTicker();
    } catch (err) {
      return trouble(err.message);
    }
    return load();
  }
  $("key").addEventListener("change", start);
  choose(ask.tickers);
  await start();
}

async function fetchSeries(ticker, ask, signal) {
  const body = { ticker, days_ahead: ask.days, confidence_interval: ask.confidence, levels: LEVELS };
  const [rows, past] = await Promise.all([
    post("/predict", body, signal),
    get(`/tickers/${encodeURIComponent(ticker)}?limit=${ask.window}`, signal),
  ]);
  return { ticker: past.ticker, dates: past.closes.map((c) => c.date), closes: past.closes.map((c) => c.close), rows };
}

// request is the request that the code shows: POST /predict for one ticker, a batch for several.
function request({ tickers, days, confidence }) {
  const one = (ticker) => ({ ticker, days_ahead: days, confidence_interval: confidence });
  const [path, body] = tickers.length === 1 ? ["predict", one(tickers[0])] : ["predict/batch", { requests: tickers.map(one) }];
  return { method: "POST", url: new URL(path, root).href, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

// firstTicker is AAPL or, if that is not served, the first ticker of the server.
async function firstTicker() {
  const known = await get("/tickers?q=AAPL&limit=1");
  const page = known.total ? known : await get("/tickers?limit=1");
  return page.tickers.map((t) => t.ticker);
}

// summary is a sentence about one ticker, or a table that compares several.
function summary(series, { confidence }) {
  const ends = series.map((s) => {
    const [last, end] = [s.closes.at(-1), s.rows.at(-1)];
    const range = { lower: end.confidence_lower, upper: end.confidence_upper };
    return { ...s, last, end, range, change: `${showChange(range.lower / last - 1)} to ${showChange(range.upper / last - 1)}` };
  });
  if (ends.length === 1) {
    const [{ ticker, last, end, range, change }] = ends;
    const strong = (text) => h("strong", {}, text);
    return h("p", {}, strong(ticker), ` closed at ${showPrice(last)}. By ${showDate(end.date)} the median is `, strong(showPrice(end.predicted_price)),
      `, and with ${showShare(confidence)} confidence the close is between `, strong(showPrice(range.lower)), " and ", strong(showPrice(range.upper)), ` (${change}).`);
  }
  return grid(["Ticker", "Last close", `Median on ${showDate(ends[0].end.date)}`, `${showShare(confidence)} interval`, "As change"],
    ends.map((e, i) => [h("span", { class: `key series-${i}` }, e.ticker), showPrice(e.last), showPrice(e.end.predicted_price), showRange(e.range), e.change]));
}

const grid = (head, rows) => h("table", {},
  h("thead", {}, h("tr", {}, head.map((t) => h("th", { scope: "col" }, t)))),
  h("tbody", {}, rows.map(([first, ...rest]) => h("tr", {}, h("th", { scope: "row" }, first), rest.map((v) => h("td", {}, v))))));

// table returns a header row and rows with numbers as the server sent them.
function table(series) {
  const bands = (series[0].rows[0].intervals || []).map((i) => i.confidence);
  return [
    ["ticker", "date", "days_ahead", "median", "lower", "upper", ...bands.flatMap((c) => [`lower_${c}`, `upper_${c}`])],
    ...series.flatMap((s) => s.rows.map((r, i) => [s.ticker, r.date, i + 1, r.predicted_price, r.confidence_lower, r.confidence_upper,
      ...bands.flatMap((c) => { const b = r.intervals.find((x) => x.confidence === c); return [b.lower, b.upper]; })])),
  ];
}

function tableElement([head, ...rows], confidence) {
  const share = (i) => (i === 4 ? confidence : +head[i].slice(6));
  const others = [...head.keys()].filter((i) => i > 5 && i % 2 === 0 && share(i) !== confidence);
  const bounds = [4, ...others]; // columns of lower bounds
  return grid(["Ticker", "Date", "Days ahead", "Median", ...bounds.map((i) => showShare(share(i)))],
    rows.map((r) => [r[0], showDate(r[1]), r[2], showPrice(r[3]), ...bounds.map((i) => showRange({ lower: r[i], upper: r[i + 1] }))]));
}

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

// A link to the page shows the same forecast: /docs?t=AAPL,MSFT&d=10&c=0.95&w=63.
function fromAddress() {
  const q = new URLSearchParams(location.search);
  const within = (value, lo, hi, other) => (value !== null && value >= lo && value <= hi ? +value : other);
  const w = q.get("w");
  return {
    tickers: (q.get("t") || "").split(",").map((t) => t.trim()).filter(Boolean).slice(0, 4),
    days: Math.round(within(q.get("d"), 1, 30, 20)),
    confidence: within(q.get("c"), 0.8, 0.99, 0.95),
    window: [...$("window").options].some((o) => o.value === w) ? w : "63",
  };
}

function toAddress({ tickers, days, confidence, window }) {
  const q = `?t=${tickers.map(encodeURIComponent).join(",")}&d=${days}&c=${confidence}&w=${window}`;
  history.replaceState(null, "", location.pathname + q + location.hash);
}
