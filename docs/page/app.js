// Starts the parts of the page: theme, status line, reference, studio. If one fails, the others work.

import { $ } from "./dom.js";
import { get, loadKey, root } from "./api.js";
import { calibration } from "./calibration.js";
import { early } from "./early.js";
import { reference } from "./reference.js";
import { status } from "./status.js";
import { studio } from "./studio.js";

function theme() {
  const modes = ["auto", "light", "dark"];
  const set = (mode) => {
    document.documentElement.dataset.theme = mode;
    $("theme").textContent = `Theme: ${mode}`;
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

async function read() {
  const section = $("reference");
  try {
    // Without a key, as the page preloads it; a server may want one for this too.
    const open = await fetch(new URL("openapi.json", root));
    reference(open.ok ? await open.json() : await get("/openapi.json"), section);
  } catch (err) {
    section.append(h("p", { class: "error" }, `The reference can't be shown: ${err.message}`));
    return;
  }
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (target && section.contains(target)) target.scrollIntoView(); // it did not exist when the page loaded
}

early();
theme();
loadKey();
calibration($("proof"));
const served = status();
await Promise.allSettled([studio(served), read(), served.read()]);
document.documentElement.dataset.ready = "true"; // tests wait for this
