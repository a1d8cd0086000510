// Starts the parts of the page: theme, status line, reference, studio. If one fails, the others work.

import { $, h, showDate } from "./dom.js";
import { get } from "./api.js";
import { calibration } from "./calibration.js";
import { reference } from "./reference.js";
import { studio } from "./studio.js";

function theme() {
  const modes = ["auto", "light", "dark"];
  const set = (mode) => {
    document.documentElement.dataset.theme = mode;
    $("theme").replaceChildren(h("span", { class: "long" }, "Theme: "), mode);
  };
  let mode = "auto";
  try { mode = localStorage.getItem("theme") || mode; } catch { /* storage may be disabled */ }
  set(modes.includes(mode) ? mode : "auto");
  $("theme").addEventListener("click", () => {
    const next = modes[(modes.indexOf(document.documentElement.dataset.theme) + 1) % modes.length];
    set(next);
    try { localStorage.setItem("theme", next); } catch { /* the theme then lasts for this page only */ }
  });
}

async function served() {
  const m = await get("/model");
  $("served").replaceChildren(`Model ${m.model_version}. ${m.tickers.toLocaleString("en-US")} tickers, prices to ${showDate(m.as_of)}`,
    m.age_days > 0 ? h("span", { class: m.age_days > 5 && "old" }, `, ${m.age_days} trading ${m.age_days === 1 ? "day" : "days"} old`) : "", ".");
}

async function read() {
  const section = $("reference");
  try {
    reference(await get("/openapi.json"), section);
  } catch (err) {
    section.append(h("p", { class: "error" }, `The reference can't be shown: ${err.message}`));
    return;
  }
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (target && section.contains(target)) target.scrollIntoView(); // it did not exist when the page loaded
}

theme();
calibration($("proof"));
$("auth").addEventListener("submit", (e) => e.preventDefault());
$("auth").addEventListener("change", served);
await Promise.allSettled([studio(), read(), served()]);
document.documentElement.dataset.ready = "true"; // tests wait for this
