// The ticker field: chosen tickers as buttons that remove them, and a search (ARIA combobox).

import { $, h, showPrice } from "./dom.js";
import { get } from "./api.js";
import { MOST } from "./question.js";

// picker fills el and returns a function that sets the choice. It calls onchange when the reader
// changes the choice, and onerror when a search fails.
export function picker(el, { onchange, onerror }) {
  let chosen = [];
  let options = [];
  let active = -1;
  let pending;
  let searched = Promise.resolve();
  const list = h("ul", { id: "ticker-list", role: "listbox", "aria-label": "Tickers", hidden: true });
  const input = h("input", {
    id: "ticker", role: "combobox", "aria-expanded": "false", "aria-controls": "ticker-list", "aria-autocomplete": "list",
    "aria-describedby": "picked", spellcheck: "false", autocapitalize: "characters", autocomplete: "off",
    oninput: typed, onkeydown: key, onblur: () => setTimeout(close, 150),
  });
  const more = h("p", { class: "hint list-end", hidden: true });
  const chips = h("ul", { class: "chips", "aria-label": "Chosen tickers" });
  const clear = h("button", { type: "button", class: "quiet", id: "clear", onclick: () => { set([]); input.focus(); } }, "Clear all");
  el.append(chips, h("div", { class: "combo" }, input, h("div", { class: "drop" }, list, more)), clear);

  function render() {
    chips.replaceChildren(...chosen.map((t, i) => h("li", {}, h("button", {
      type: "button", class: `chip series-${i}`, "aria-label": `Remove ${t}`,
      onclick: () => { set(chosen.filter((c) => c !== t)); input.focus(); },
    }, t, h("span", { "aria-hidden": "true" }, "×")))));
    const full = chosen.length >= MOST;
    input.placeholder = full ? "Four are chosen" : chosen.length ? "Add another" : "Search, or paste several";
    clear.hidden = !chosen.length;
  }

  function set(next, quiet) {
    chosen = next;
    render();
    say("");
    if (!quiet) onchange(chosen);
  }

  // pick adds tickers as far as there is room, and names the others.
  function pick(names) {
    input.value = "";
    close();
    const fresh = [...new Set(names)].filter((t) => !chosen.includes(t));
    const room = MOST - chosen.length;
    if (fresh.length && room > 0) set([...chosen, ...fresh.slice(0, room)]);
    const extra = fresh.slice(Math.max(0, room));
    if (extra.length) say(`Up to four tickers at once: ${extra.join(", ")} ${extra.length === 1 ? "is" : "are"} left out. Remove one first.`);
  }

  // typed searches what is typed. Several names, pasted or typed with a comma between, are taken
  // at once when a comma or a blank ends them, but a name that the list has is one name.
  function typed(e) {
    say("");
    const names = input.value.split(/[\s,;]+/).filter(Boolean);
    if (names.length > 1 && e.inputType?.startsWith("insertFromPaste")) return pick(names);
    if (!input.value.trim()) return close();
    searched = search();
  }

  async function search() {
    pending?.abort();
    pending = new AbortController();
    options = []; // they belong to an earlier text, so Enter must not pick one
    active = -1;
    try {
      const page = await get(`/tickers?limit=8&q=${encodeURIComponent(input.value.trim())}`, pending.signal);
      options = page.tickers.filter((t) => !chosen.includes(t.ticker));
      active = options.length ? 0 : -1;
      open(page.total, page.tickers.length);
    } catch (err) {
      if (err.name !== "AbortError") onerror(err);
    }
  }

  function open(total, shown) {
    if (document.activeElement !== input || !input.value.trim()) return;
    list.replaceChildren(...options.map((t, i) => h("li", { id: `ticker-${i}`, role: "option", onclick: () => pick([t.ticker]) },
      h("span", {}, t.ticker), h("span", { class: "hint" }, showPrice(t.close)))));
    more.textContent = !total ? "No such ticker here" : !options.length ? "Chosen already" : total > shown ? `${total} match: type on` : "";
    more.hidden = !more.textContent;
    list.hidden = !options.length;
    mark();
  }

  // A press in the list must not take the focus from the field, or the list would close before the
  // click. It is the click that picks, so a finger can scroll the list.
  el.querySelector(".drop").addEventListener("mousedown", (e) => e.preventDefault());

  function close() {
    pending?.abort();
    list.hidden = true;
    more.hidden = true;
    active = -1;
    mark();
  }

  function mark() {
    for (const [i, li] of [...list.children].entries()) li.setAttribute("aria-selected", i === active);
    input.setAttribute("aria-expanded", !list.hidden);
    if (active < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", `ticker-${active}`);
  }

  async function key(e) {
    const n = options.length;
    if (e.key === "ArrowDown" && !n && input.value.trim()) searched = search();
    else if (e.key === "ArrowDown" && n) active = (active + 1) % n;
    else if (e.key === "ArrowUp" && n) active = (active + n - (active < 0 ? 0 : 1)) % n;
    else if (e.key === "Enter") {
      e.preventDefault();
      await searched; // the reader may type faster than the server answers
      const text = input.value.trim();
      const names = text.split(/[\s,;]+/).filter(Boolean);
      if (active >= 0 && !list.hidden) pick([options[active].ticker]);
      else if (names.length) pick(names);
      return;
    } else if (e.key === "Escape") return close();
    else if (e.key === "Backspace" && !input.value && chosen.length) return set(chosen.slice(0, -1));
    else return;
    e.preventDefault();
    mark();
  }

  function say(text) { $("picked").textContent = text; }

  return (tickers) => { chosen = tickers; render(); };
}

// nearest finds listed tickers that a mistyped name may mean: those that share most letters with it,
// in their order.
export async function nearest(name, signal) {
  const text = name.trim().toUpperCase().slice(0, 20);
  for (const q of [text.slice(0, 1), ""]) { // most slips are behind the first letter
    const page = await get(`/tickers?limit=1000&q=${encodeURIComponent(q)}`, signal);
    const near = page.tickers.map((t) => [text.length + t.ticker.length - 2 * shared(text, t.ticker.toUpperCase()), t.ticker])
      .filter(([apart]) => apart <= Math.max(2, Math.ceil(text.length * 0.6))).sort((a, b) => a[0] - b[0]);
    if (near.length) return near.slice(0, 3).map(([, ticker]) => ticker);
  }
  return [];
}

// shared is the length of the longest common subsequence.
function shared(a, b) {
  let row = Array(b.length + 1).fill(0);
  for (const letter of a) {
    const next = [0];
    for (let j = 1; j <= b.length; j++) next[j] = letter === b[j - 1] ? row[j - 1] + 1 : Math.max(row[j], next[j - 1]);
    row = next;
  }
  return row[b.length];
}
