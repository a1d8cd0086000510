// The studio keeps the question in the address of the page and shows the answer as sentence, chart,
// table and code.

import { $, copy, h } from "./dom.js";
import { get, root, setKey } from "./api.js";
import { answer } from "./answer.js";
import { chart } from "./chart.js";
import { save, savePNG, saveSVG } from "./download.js";
import { origin } from "./origin.js";
import { own } from "./own.js";
import { nearest, picker } from "./picker.js";
import { addressOf, fromAddress } from "./question.js";
import { retrier } from "./retry.js";
import { fetchOwn, fetchSeries, hits, ownRequest } from "./series.js";
import { settings } from "./settings.js";
import { snippets } from "./snippets.js";
import { csv, table } from "./table.js";

// studio starts the section and draws the forecast that the address asks for. status is that of
// status.js.
export async function studio(status) {
  const ask = fromAddress();
  let series = []; // on screen
  const drawing = chart($("chart"));
  const code = snippets("The request");
  $("code").append(code.el);
  const retry = retrier($("retry"));
  const choose = picker($("picker"), {
    onchange(tickers) {
      if (ask.own) forget();
      Object.assign(ask, { tickers, own: null });
      changed();
    },
    onerror: (err) => (err.status === 401 ? lock(err) : trouble(err.message)),
  });
  const forget = own((closes) => {
    if (!closes && !ask.own) return;
    // The day of a listed ticker means nothing for other closes.
    Object.assign(ask, { own: closes, asOf: null });
    choose(closes ? [] : ask.tickers);
    changed();
  });
  const day = origin((asOf) => { ask.asOf = asOf; changed(); });
  settings(ask, changed, () => {
    if (series.length) show();
    remember();
  });
  outputs();
  key();

  function remember() {
    if (!ask.own) history.replaceState(null, "", addressOf(ask, ask.asOf) + location.hash);
  }

  let timer;
  let pending;
  function changed() {
    remember();
    pending?.abort();
    retry.stop();
    clearTimeout(timer);
    if (!ask.own && !ask.tickers.length) load();
    else timer = setTimeout(load, 60); // a dragged slider asks when it rests
  }

  async function load() {
    retry.stop();
    pending?.abort();
    if (!ask.own && !ask.tickers.length) return empty("Choose a ticker to see its forecast.");
    pending = new AbortController();
    const { signal } = pending;
    const idle = busy();
    signal.addEventListener("abort", idle);
    const asked = { ...ask };
    const answers = await Promise.allSettled(asked.own ? [fetchOwn(asked, signal)] : asked.tickers.map((t) => fetchSeries(t, asked, signal)));
    if (signal.aborted) return; // the question has changed
    idle();
    const failed = answers.flatMap((a, i) => (a.reason ? [{ ticker: asked.tickers[i], err: a.reason }] : []));
    const locked = failed.find((f) => f.err.status === 401);
    if (locked) return lock(locked.err);
    unlock();
    const found = new Map(answers.filter((a) => a.value).map((a) => [a.value.ticker, a.value])); // aapl is AAPL
    const names = answers.flatMap((a, i) => (a.value ? [a.value.ticker] : a.reason.passing ? [asked.tickers[i]] : []));
    if (!asked.own) {
      ask.tickers = [...new Set(names)];
      // What follows the newest close follows it from now on.
      if (ask.asOf && found.size && [...found.values()].every((s) => s.end <= ask.asOf)) ask.asOf = null;
      choose(ask.tickers);
      remember();
    }
    complain(failed, signal);
    if (found.size) {
      series = [...found.values()];
      show();
      await status.since(series);
      if (!signal.aborted) show();
    } else if (!failed.every((f) => f.err.passing)) empty("");
    $("chart").classList.toggle("stale", !found.size && series.length > 0);
  }

  // complain names what failed, the tickers that may be meant, and asks again for what may pass.
  function complain(failed, signal) {
    trouble([...new Set(failed.map((f) => f.err.message))].join(" "));
    if (ask.extra?.length) $("picked").textContent = `Up to four tickers at once: ${ask.extra.join(", ")} ${ask.extra.length === 1 ? "is" : "are"} left out.`;
    ask.extra = [];
    const passing = failed.filter((f) => f.err.passing).map((f) => f.err);
    if (passing.length) retry.later(Math.max(...passing.map((err) => err.wait || 0)), load);
    else retry.reset();
    const unknown = failed.find((f) => f.err.status === 404);
    if (!unknown) return;
    nearest(unknown.ticker, signal).then((names) => {
      if (!names.length || signal.aborted) return;
      const between = (i) => (i === 0 ? "" : i === names.length - 1 ? " or " : ", ");
      $("trouble").append(" Did you mean ", ...names.flatMap((n, i) => [between(i), suggestion(n)]), "?");
    }, () => { /* without names the message is still true */ });
  }

  const suggestion = (name) => h("button", {
    type: "button", class: "as-link",
    onclick() {
      if (!ask.tickers.includes(name)) ask.tickers = [...ask.tickers, name];
      choose(ask.tickers);
      changed();
    },
  }, name);

  function show() {
    drawing.draw(series, ask);
    document.documentElement.dataset.tickers = series.length;
    $("answer").replaceChildren(...answer(series, ask), ...(ask.own || ask.asOf ? [] : [status.note(series) || []]).flat());
    $("flat").hidden = false;
    $("table").lastElementChild.replaceChildren(table(series, ask.confidence));
    day.set(series, ask.asOf);
    code.update(request(ask));
    outputs();
    title();
  }

  function empty(text) {
    series = [];
    drawing.clear();
    $("chart").classList.remove("stale");
    $("answer").replaceChildren(...(text ? [h("p", {}, text)] : []));
    if (text) trouble("");
    $("flat").hidden = true;
    $("table").lastElementChild.replaceChildren();
    day.set([], null);
    outputs();
    title();
  }

  function title() {
    const names = series.map((s) => s.ticker);
    document.title = names.length ? `${names.join(", ")} – tickercast` : "tickercast";
  }

  function outputs() {
    for (const id of ["csv", "svg", "png", "copy-csv"]) $(id).disabled = !series.length;
    $("link").disabled = Boolean(ask.own);
    $("link").title = ask.own ? "A link cannot hold your own closes" : "";
  }

  // lock puts the question for a key in place of the answer.
  function lock(err) {
    retry.stop();
    empty("");
    trouble("");
    $("gate-said").textContent = $("key").value ? err.message : "";
    setKey("");
    if (!$("gate").contains($("auth"))) $("gate").append($("auth"));
    $("gate").hidden = false;
    $("studio").classList.add("locked");
    if (document.activeElement === document.body) $("key").focus({ preventScroll: true });
  }

  function unlock() {
    $("studio").classList.remove("locked");
    $("gate").hidden = true;
    if ($("gate").contains($("auth"))) $("served").after($("auth"));
  }

  async function start() {
    try {
      if (!ask.tickers.length && !ask.own) ask.tickers = await firstTicker();
    } catch (err) {
      if (err.status === 401) return lock(err);
      trouble(err.message);
      if (err.passing) retry.later(err.wait, start);
      return;
    }
    return load();
  }

  function key() {
    let used = $("key").value;
    const use = () => {
      const text = $("key").value.trim();
      if (text === used) return;
      used = text;
      setKey(text);
      if (text) start().finally(() => { used = $("key").value; });
    };
    $("auth").addEventListener("submit", (e) => { e.preventDefault(); use(); });
    $("key").addEventListener("change", use);
  }

  // The date is that of the prices on screen, so that the link shows the same tomorrow.
  $("link").addEventListener("click", () => {
    const newest = series.map((s) => s.end).sort().at(-1);
    const asOf = ask.asOf || (newest && (status.asOf() > newest ? status.asOf() : newest));
    copy(new URL(addressOf(ask, asOf), location.href).href, $("copied"));
  });
  const name = () => `${series.map((s) => s.ticker).join("-").replace(/[^\w.-]/g, "_")}-${series[0].undated ? "own" : series[0].dates.at(-1)}`;
  const picture = (kind) => {
    const { st, svg } = drawing.picture();
    const names = series.map((s) => s.ticker).join(", ");
    const { inside, of } = hits(series);
    const title = [`${names}: ${st.undated ? "forecast" : `forecast of ${series[0].dates.at(-1)}`}`,
      `${+(ask.confidence * 100).toFixed(2)} % interval`, ...(of ? [`${inside} of ${of} closes that came inside`] : [])].join(", ");
    kind(name(), svg, title, $("chart").querySelector(".stage"));
  };
  $("csv").addEventListener("click", () => save(`${name()}.csv`, new Blob([csv(series, ask.confidence)], { type: "text/csv" })));
  $("copy-csv").addEventListener("click", () => copy(csv(series, ask.confidence), $("csv-copied")));
  $("svg").addEventListener("click", () => picture(saveSVG));
  $("png").addEventListener("click", () => picture(savePNG));

  choose(ask.tickers);
  await start();
}

// busy marks the studio as waiting. What is drawn is dimmed if that takes long enough to be seen.
function busy() {
  $("studio").setAttribute("aria-busy", "true");
  const timer = setTimeout(() => {
    $("chart").classList.add("pending");
    $("pending").textContent = "Asking…";
  }, 150);
  return () => {
    clearTimeout(timer);
    $("studio").removeAttribute("aria-busy");
    $("chart").classList.remove("pending");
    $("pending").textContent = "";
  };
}

// request is the request that the code shows: POST /predict for one ticker, a batch for several.
function request(ask) {
  const one = (ticker) => ({
    ticker, days_ahead: ask.days, confidence_interval: ask.confidence, ...(ask.asOf && { as_of: ask.asOf }),
  });
  const single = ask.own || ask.tickers.length === 1;
  const body = ask.own ? ownRequest(ask) : single ? one(ask.tickers[0]) : { requests: ask.tickers.map(one) };
  return {
    method: "POST", url: new URL(single ? "predict" : "predict/batch", root).href,
    headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
}

// firstTicker is AAPL or, if that is not served, the first ticker of the server.
async function firstTicker() {
  const known = await get("/tickers?q=AAPL&limit=1");
  const page = known.total ? known : await get("/tickers?limit=1");
  return page.tickers.map((t) => t.ticker);
}

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}
