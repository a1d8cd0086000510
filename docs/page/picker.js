// The ticker field: chosen tickers as buttons that remove them, and a search (ARIA combobox).

import { h, showPrice } from "./dom.js";
import { get } from "./api.js";

const MOST = 4;

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
    maxlength: "10", spellcheck: "false", autocapitalize: "characters", autocomplete: "off", placeholder: "Search",
    oninput: ask, onfocus: ask, onkeydown: key, onblur: () => setTimeout(close, 150),
  });
  const chips = h("ul", { class: "chips", "aria-label": "Chosen tickers" });
  el.append(chips, h("div", { class: "combo" }, input, list));

  function render() {
    chips.replaceChildren(...chosen.map((t, i) => h("li", {}, h("button", {
      type: "button", class: `chip series-${i}`, "aria-label": `Remove ${t}`,
      onclick: () => { set(chosen.filter((c) => c !== t)); input.focus(); },
    }, t, h("span", { "aria-hidden": "true" }, "×")))));
    input.placeholder = !chosen.length ? "Search" : chosen.length < MOST ? "Add" : "Replace";
  }

  function set(next, quiet) {
    chosen = next;
    render();
    if (!quiet) onchange(chosen);
  }

  function pick(ticker) {
    input.value = "";
    close();
    if (!chosen.includes(ticker)) set([...chosen.slice(0, MOST - 1), ticker]);
  }

  function ask() { searched = search(); }

  async function search() {
    pending?.abort();
    pending = new AbortController();
    options = []; // they belong to an earlier text, so Enter must not pick one
    active = -1;
    try {
      const page = await get(`/tickers?limit=8&q=${encodeURIComponent(input.value.trim())}`, pending.signal);
      options = page.tickers.filter((t) => !chosen.includes(t.ticker));
      active = input.value && options.length ? 0 : -1;
      open(page.total);
    } catch (err) {
      if (err.name !== "AbortError") onerror(err);
    }
  }

  function open(total) {
    if (document.activeElement !== input) return;
    const more = !total ? "No such ticker here" : total > options.length && `${total} match: type on`;
    list.replaceChildren(
      ...options.map((t, i) => h("li", { id: `ticker-${i}`, role: "option", onpointerdown: (e) => { e.preventDefault(); pick(t.ticker); } },
        h("span", {}, t.ticker), h("span", { class: "hint" }, showPrice(t.close)))),
      ...(more ? [h("li", { class: "hint", role: "presentation" }, more)] : []));
    list.hidden = false;
    mark();
  }

  function close() {
    pending?.abort();
    list.hidden = true;
    active = -1;
    mark();
  }

  function mark() {
    for (const [i, li] of [...list.children].entries()) li.setAttribute("aria-selected", i === active);
    input.setAttribute("aria-expanded", !list.hidden);
    input.setAttribute("aria-activedescendant", active < 0 ? "" : `ticker-${active}`);
  }

  async function key(e) {
    const n = options.length;
    if (e.key === "ArrowDown" && n) active = (active + 1) % n;
    else if (e.key === "ArrowUp" && n) active = (active + n - (active < 0 ? 0 : 1)) % n;
    else if (e.key === "Enter") {
      e.preventDefault();
      await searched; // the reader may type faster than the server answers
      if (active >= 0 && !list.hidden) pick(options[active].ticker);
      else if (input.value.trim()) pick(input.value.trim());
      return;
    } else if (e.key === "Escape") return close();
    else if (e.key === "Backspace" && !input.value && chosen.length) return set(chosen.slice(0, -1));
    else return;
    e.preventDefault();
    mark();
  }

  return (tickers) => set(tickers.slice(0, MOST), true);
}
