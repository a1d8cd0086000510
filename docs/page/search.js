// Search over routes, fields and tickers, by Ctrl-K, / or the button at the top.

import { $, h } from "./dom.js";
import { get } from "./api.js";
import { resolve } from "./schema.js";

const MOST = 8; // of each kind

// search prepares the dialog. show leads to a route, and there to a field.
export function search({ doc, groups, show }) {
  const dialog = $("search");
  const items = entries();
  let options = [];
  let active = -1;
  let pending;
  const list = h("ul", { id: "search-list", role: "listbox", "aria-label": "Found" });
  const said = h("p", { class: "hint", role: "status" });
  const input = h("input", {
    id: "search-input", role: "combobox", "aria-expanded": "true", "aria-controls": "search-list", "aria-autocomplete": "list",
    "aria-label": "Search routes, fields and tickers", placeholder: "Route, field or ticker", spellcheck: "false", autocomplete: "off",
    oninput: find, onkeydown: key,
  });
  dialog.append(h("div", { class: "search-box" }, input, h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Close")), list, said);
  dialog.addEventListener("click", (e) => e.target === dialog && dialog.close()); // beside it
  dialog.addEventListener("close", () => pending?.abort());

  function open() {
    if (dialog.open) return;
    input.value = "";
    dialog.showModal();
    input.focus();
    find();
  }
  $("find").addEventListener("click", open);
  document.addEventListener("keydown", (e) => {
    const typing = e.target.closest?.("input, textarea, select, [contenteditable]");
    const asked = (e.key === "k" || e.key === "K") && (e.ctrlKey || e.metaKey) && !e.altKey && !e.shiftKey;
    if (!asked && !(e.key === "/" && !typing && !e.ctrlKey && !e.metaKey && !e.altKey)) return;
    e.preventDefault();
    if (asked && dialog.open) dialog.close();
    else open();
  });

  async function find() {
    const words = input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    pending?.abort();
    const found = items.map((item) => ({ item, rank: rank(item, words) })).filter((f) => f.rank > 0).sort((a, b) => b.rank - a.rank).map((f) => f.item);
    const routes = found.filter((i) => i.kind === "Routes").slice(0, words.length ? MOST : 99);
    const fields = words.length ? found.filter((i) => i.kind === "Fields").slice(0, MOST) : [];
    render([...routes, ...fields]);
    if (words.length !== 1) return;
    pending = new AbortController();
    const { signal } = pending;
    try {
      const page = await get(`/tickers?limit=${MOST}&q=${encodeURIComponent(input.value.trim())}`, signal);
      if (signal.aborted) return;
      const tickers = page.tickers.map((t) => ({ kind: "Tickers", name: t.ticker, more: `closed at ${t.close} on ${t.as_of}`, go: () => toTicker(t.ticker) }));
      render([...routes, ...fields, ...tickers]);
    } catch { /* without a key, or without a server, routes and fields are found */ }
  }

  function render(next) {
    const before = options[active];
    options = next;
    active = options.length ? Math.max(0, options.findIndex((o) => o === before)) : -1;
    const kinds = [...new Set(options.map((o) => o.kind))];
    list.replaceChildren(...kinds.map((kind) => h("li", { role: "presentation" },
      h("p", { class: "label", id: `search-${kind}` }, kind),
      h("ul", { role: "group", "aria-labelledby": `search-${kind}` }, options.map((o, i) => o.kind === kind && h("li", {
        id: `search-${i}`, role: "option", onclick: () => pick(i),
        onpointermove: () => { if (active !== i) { active = i; mark(); } },
      }, h("span", {}, o.name), h("span", { class: "hint" }, o.more)))))));
    said.textContent = options.length ? "" : "Nothing found.";
    mark();
  }

  function mark() {
    for (const li of list.querySelectorAll("[role=option]")) {
      const on = li.id === `search-${active}`;
      li.setAttribute("aria-selected", String(on));
      if (on) li.scrollIntoView({ block: "nearest" });
    }
    if (active < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", `search-${active}`);
  }

  function pick(i) {
    const { go } = options[i];
    dialog.close();
    go();
  }

  function key(e) {
    const n = options.length;
    if (e.key === "ArrowDown" && n) active = (active + 1) % n;
    else if (e.key === "ArrowUp" && n) active = (active + n - 1) % n;
    else if (e.key === "Enter" && active >= 0) {
      e.preventDefault();
      return pick(active);
    } else return;
    e.preventDefault();
    mark();
  }

  // entries lists the routes and their fields.
  function entries() {
    const out = [];
    for (const { method, path, op } of groups.flatMap((g) => g.ops)) {
      const go = (name) => () => show(op.operationId, name);
      out.push({ kind: "Routes", name: op.summary, more: `${method} ${path}`, text: `${path} ${method} ${op.description}`.toLowerCase(), go: go() });
      const add = (name, where, text) => out.push({ kind: "Fields", name, more: `${op.summary}, ${where}`, text: `${path} ${text || ""}`.toLowerCase(), go: go(name) });
      for (const p of op.parameters || []) {
        const { name, in: where, description } = resolve(doc, p);
        add(name, where, description);
      }
      const schema = (node) => node && (resolve(doc, node).items ? resolve(doc, resolve(doc, node).items) : resolve(doc, node));
      const of = (node, where) => Object.entries(schema(node)?.properties || {}).forEach(([name, p]) => add(name, where, resolve(doc, p).description));
      of(op.requestBody?.content["application/json"].schema, "body");
      of(op.responses["200"].content?.["application/json"]?.schema, "response");
    }
    return out;
  }
}

// toTicker shows a ticker in the studio. A studio that does not listen is opened anew.
function toTicker(ticker) {
  const event = new CustomEvent("ticker", { detail: ticker, cancelable: true });
  if (!$("studio").dispatchEvent(event)) return $("studio").scrollIntoView();
  const q = new URLSearchParams(location.search);
  q.set("t", ticker);
  location.href = `?${q}#studio`;
}

// rank says how well an entry fits: the name counts more than the text around it.
function rank({ name, more, text }, words) {
  if (!words.length) return 1;
  const [head, tail] = [name.toLowerCase(), `${more.toLowerCase()} ${text}`];
  let sum = 0;
  for (const w of words) {
    const one = head === w ? 8 : head.startsWith(w) ? 5 : head.includes(w) ? 3 : tail.includes(w) ? 1 : 0;
    if (!one) return 0;
    sum += one;
  }
  return sum;
}
