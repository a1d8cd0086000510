// The calibration panel: how many of the closes that came lie inside the intervals of past forecasts, and
// whether chance explains the difference to what was promised.

import { h, showDate, showShare, svg } from "./dom.js";
import { get } from "./api.js";
import { lazy } from "./schema.js";

const CHANCE = 1.96; // standard errors that chance stays within 19 times in 20

// calibration fills an element with what GET /model says, once it comes near the window.
export function calibration(el) {
  let horizon = 1;
  let pause = 1000;
  let timer;
  let near = false;
  let latest; // what GET /model last said
  let shown; // the report that is drawn, as JSON
  const say = (...kids) => el.replaceChildren(h("p", { class: "verdict", role: "status" }, kids));

  async function load() {
    try {
      take(await get("/model"));
    } catch (err) {
      shown = undefined;
      say(`Not known: ${err.message} `, h("button", { type: "button", onclick: load }, "Try again"));
    }
  }

  function take(model) {
    latest = model;
    if (!near) return;
    clearTimeout(timer);
    const report = model.calibration;
    const json = JSON.stringify(report);
    if (report.forecasts > 0) {
      pause = 1000;
      if (json !== shown) draw(report);
      shown = json;
      return;
    }
    shown = undefined;
    if (/running|interrupted/.test(report.reason)) {
      say(`The forecasts of these prices are being judged (${report.reason}).`);
      timer = setTimeout(load, pause);
      pause = Math.min(2 * pause, 30000);
    } else if (report.reason === "off") {
      say("This server does not judge its forecasts (calibration is off). To have it judged, start it with ", h("code", {}, "-calibration-days 120"), ".");
    } else say(`No forecast could be judged: ${report.reason}.`);
  }

  function draw(report) {
    const horizons = [...new Set(report.levels.map((l) => l.horizon))];
    if (!horizons.includes(horizon)) [horizon] = horizons;
    const of = (days) => report.levels.filter((l) => l.horizon === days && l.coverage !== null);
    const tabs = h("div", { class: "tabs", role: "group", "aria-label": "Days ahead" }, horizons.map((days) => h("button", {
      type: "button", "aria-pressed": String(days === horizon), class: of(days).some((l) => beyond(l)) && "off",
      "aria-label": `${showDays(days)} ahead${of(days).some((l) => beyond(l)) ? ", beyond chance" : ""}`,
      onclick: (e) => {
        horizon = days;
        draw(report);
        [...el.querySelectorAll(".tabs button")][horizons.indexOf(days)].focus({ focusVisible: e.detail === 0 });
      },
    }, showDays(days))));
    const levels = of(horizon);
    const figure = h("figure", { class: "reliability" });
    const [first, second] = verdict(levels, horizon);
    el.replaceChildren(
      h("div", { class: "said" },
        h("p", { class: "verdict", role: "status" }, first),
        h("p", { class: levels.some((l) => beyond(l)) ? "judgement bad" : "judgement" }, second),
        tabs,
        h("p", { class: "counts" }, counts(report)),
        lazy({ class: "fold" }, "The numbers by confidence and days ahead", () => table(report, horizons))),
      figure);
    // The plot is as wide as its place.
    const fit = () => figure.replaceChildren(plot(levels, Math.min(460, figure.clientWidth)), legend(levels));
    new ResizeObserver(() => { if (figure.dataset.width !== String(figure.clientWidth)) { figure.dataset.width = figure.clientWidth; fit(); } }).observe(figure);
  }

  new IntersectionObserver((seen, o) => {
    if (!seen.some((s) => s.isIntersecting)) return;
    o.disconnect();
    near = true;
    if (latest) take(latest);
    else load();
  }, { rootMargin: "1200px" }).observe(el);
  addEventListener("model", (e) => take(e.detail)); // others ask too, after a swap of prices as well
}

const showDays = (n) => `${n} ${n === 1 ? "day" : "days"}`;

// beyond says whether chance does not explain a coverage: 1 for too many closes inside, -1 for too few.
const beyond = ({ coverage, confidence, standard_error: error }) =>
  (error === null || coverage === null || Math.abs(coverage - confidence) <= CHANCE * error ? 0 : Math.sign(coverage - confidence));

// verdict puts the levels of one horizon into two sentences.
function verdict(levels, horizon) {
  if (!levels.length) return [`No close has come yet ${showDays(horizon)} ahead.`, ""];
  const main = levels.find((l) => l.confidence === 0.95) || levels.at(-1);
  const number = (main.coverage * 100).toFixed(beyond(main) ? 1 : 0).replace(".0", "");
  const first = [`Of 100 closes, `, h("strong", {}, number), ` were inside the ${showShare(main.confidence)} interval, ${showDays(horizon)} ahead.`];
  if (levels.every((l) => l.standard_error === null)) return [first, "There are too few sessions to tell whether that is chance."];
  const list = (side) => levels.filter((l) => beyond(l) === side).map((l) => showShare(l.confidence)).join(", ").replace(/, ([^,]*)$/, " and $1");
  const [low, high] = [list(-1), list(1)];
  const parts = [];
  if (low) parts.push(`At ${low}, fewer closes were inside than chance explains: over these sessions prices moved more than the intervals allowed, so intervals of that confidence were too narrow.`);
  if (high) parts.push(`At ${high}, more closes were inside than chance explains: intervals of that confidence were wider than they had to be.`);
  if (!parts.length) {
    const room = main.standard_error === null ? undefined : CHANCE * main.standard_error;
    parts.push(room === undefined ? "Chance explains the difference to what was promised."
      : `Chance explains the difference: with so many sessions, ${showShare(main.confidence)} may come out as ${showShare(Math.max(0, main.confidence - room))} to ${showShare(Math.min(1, main.confidence + room))}.`);
  }
  return [first, parts.join(" ")];
}

function counts({ forecasts, origins, from, to, skill, tickers_off: off }) {
  const n = (x) => x.toLocaleString("en-US");
  const one = `Judged on ${n(forecasts)} forecasts, made on ${n(origins)} ${origins === 1 ? "session" : "sessions"} from ${showDate(from)} to ${showDate(to)}.`;
  const two = skill === null ? "" : ` Their loss is ${showShare(Math.abs(skill))} ${skill < 0 ? "higher" : "lower"} than that of EWMA(0.94) volatility with normal tails.`;
  const three = off === null ? "" : ` Of the tickers, ${showShare(off)} are outside their own band of chance at 95 %, one day ahead; 5 % are expected there.`;
  return one + two + three;
}

// plot draws coverage over confidence. The dashed line is coverage as promised.
function plot(levels, width) {
  const [height, left, right, top, bottom] = [Math.round(width * 0.78), 52, 54, 12, 40];
  const known = levels.filter((l) => l.standard_error !== null);
  const low = Math.min(0.78, ...levels.map((l) => l.coverage), ...known.map((l) => l.confidence - CHANCE * l.standard_error));
  const step = [0.05, 0.1, 0.2].find((s) => (1 - low) / s <= 6) || 0.2;
  const floor = Math.max(0, Math.floor(low / step + 1e-9) * step);
  const x = (c) => left + ((c - 0.78) / 0.22) * (width - left - right);
  const y = (v) => top + ((1 - v) / (1 - floor)) * (height - top - bottom);
  const line = (kind, x1, y1, x2, y2) => svg("line", { class: kind, x1, y1, x2, y2 });
  const text = (kind, at, down, anchor, label) => svg("text", { class: kind, x: at, y: down, "text-anchor": anchor }, label);
  const out = [];
  for (let i = Math.round(floor / step); i * step <= 1 + 1e-9; i++) {
    out.push(line("rule", left, y(i * step), width - right, y(i * step)), text("tick", left - 8, y(i * step) + 4, "end", showShare(i * step)));
  }
  const edge = (side) => known.map((l) => `${x(l.confidence).toFixed(1)} ${y(Math.max(floor, Math.min(1, l.confidence + side * CHANCE * l.standard_error))).toFixed(1)}`);
  if (known.length > 1) out.push(svg("path", { class: "chance", d: `M${[...edge(1), ...edge(-1).reverse()].join("L")}Z` }));
  out.push(line("promised", x(0.78), y(Math.max(floor, 0.78)), x(1), y(1)));
  if (levels.length > 1) out.push(svg("path", { class: "observed", d: `M${levels.map((l) => `${x(l.confidence).toFixed(1)} ${y(l.coverage).toFixed(1)}`).join("L")}` }));
  const labels = levels.map((l) => ({ l, at: y(l.coverage) + 4 + (l.coverage <= l.confidence ? 12 : -12) }));
  for (const { l, at } of labels) {
    const kind = beyond(l) ? "dot off" : "dot";
    out.push(svg("circle", { class: kind, cx: x(l.confidence), cy: y(l.coverage), r: 4.5 }),
      text("value", x(l.confidence) + 8, at, "start", showShare(l.coverage)),
      text("tick", x(l.confidence), height - bottom + 18, "middle", showShare(l.confidence)));
  }
  out.push(text("tick", (left + width - right) / 2, height - 4, "middle", "confidence"));
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img",
    "aria-label": `Share of closes inside, by confidence: ${levels.map((l) => `${showShare(l.coverage)} at ${showShare(l.confidence)}`).join(", ")}` }, out);
}

function legend(levels) {
  const item = (kind, text) => h("span", {}, h("i", { class: kind }), text);
  return h("figcaption", { class: "legend" }, item("dot-key", "closes inside"), item("promised-key", "as promised"),
    levels.some((l) => l.standard_error !== null) && item("chance-key", "band of chance, 95 %"), levels.some((l) => beyond(l)) && item("off-key", "beyond chance"));
}

function table(report, horizons) {
  const confidences = [...new Set(report.levels.map((l) => l.confidence))];
  const cell = (c, days) => {
    const l = report.levels.find((x) => x.confidence === c && x.horizon === days);
    if (!l || l.coverage === null) return h("td", {}, "–");
    return h("td", { class: beyond(l) && "bad" }, showShare(l.coverage), h("span", { class: "hint" }, l.standard_error === null ? "" : ` ± ${showShare(CHANCE * l.standard_error)}`),
      beyond(l) ? " beyond chance" : "");
  };
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Coverage by confidence and days ahead" }, h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Confidence"), horizons.map((d) => h("th", { scope: "col" }, showDays(d))))),
    h("tbody", {}, confidences.map((c) => h("tr", {}, h("th", { scope: "row" }, showShare(c)), horizons.map((d) => cell(c, d)))))));
}
