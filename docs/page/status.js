// What is served, in the header, and how old the prices are.

import { $, h, showDate } from "./dom.js";
import { get } from "./api.js";

const FRESH = 5; // trading days after which prices are called old

// status returns {read, since, note, model}: read asks the server, since asks it again if an answer
// tells of other data, and note says how old the prices of some series are.
export function status() {
  let model;
  let began = 0;
  let at = -Infinity; // when the server was asked
  let asking;

  function read() {
    at = performance.now();
    asking = ask();
    return asking;
  }

  async function ask() {
    const mine = ++began;
    const m = await get("/model");
    if (mine !== began) return; // a later call knows better
    model = m;
    dispatchEvent(new CustomEvent("model", { detail: m })); // the calibration is in it
    $("served").replaceChildren(`${m.tickers.toLocaleString("en-US")} tickers, prices to ${showDate(m.as_of)}`,
      m.age_days > 0 ? h("span", { class: m.age_days > FRESH && "old" }, ` (${days(m.age_days)} old)`) : "",
      h("span", { class: "version" }, ` model ${m.model_version}`));
  }

  async function since(series) {
    const newest = series.map((s) => s.end).sort().at(-1);
    const known = () => model && series.every((s) => s.rows[0].model_version === model.model_version) && newest <= model.as_of;
    try {
      await asking;
    } catch { /* asked again below */ }
    try {
      // Other tickers may have changed, so the status is also read again from time to time.
      if (!known() || performance.now() - at > 30000) await read();
    } catch { /* the answer itself came, so the status is only unknown */ }
  }

  function note(series) {
    if (!model) return null;
    const aged = series.map((s) => ({ ...s, age: model.age_days + weekdays(s.end, model.as_of) })).filter((s) => s.age > FRESH);
    if (!aged.length) return null;
    const oldest = aged.reduce((a, b) => (b.end < a.end ? b : a));
    const about = oldest.end < model.as_of ? "about " : "";
    const whose = aged.length === series.length ? "These prices end" : `The prices of ${aged.map((s) => s.ticker).join(", ")} end`;
    return h("p", { class: "remark stale-remark" }, `${whose} ${about}${days(oldest.age)} ago, on ${showDate(oldest.end)}. `,
      h("a", { href: "#newer", onclick: () => { $("newer").open = true; } }, "Serve newer prices"), ".");
  }

  return { read, since, note, asOf: () => model?.as_of };
}

const days = (n) => `${n} trading ${n === 1 ? "day" : "days"}`;

// weekdays counts Mondays to Fridays after one date up to another.
function weekdays(from, to) {
  let n = 0;
  for (const day = new Date(from), end = new Date(to); day < end && n < 9999;) {
    day.setUTCDate(day.getUTCDate() + 1);
    n += day.getUTCDay() % 6 ? 1 : 0;
  }
  return n;
}
