// Lays out JSON and colours it. It works on the text, so that numbers keep all their digits and a field
// that stands twice stays twice.

import { copy, h } from "./dom.js";

const WIDTH = 72;
const TOKEN = /"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|[[\]{}:,]|true|false|null/g;

// parse returns a tree of the tokens of JSON, or undefined for other text. A leaf is {text}, a list or
// object is {open, close, items} with items {key, value}.
export function parse(text) {
  try { JSON.parse(text); } catch { return undefined; }
  const tokens = text.match(TOKEN);
  let at = 0;
  const value = () => {
    const token = tokens[at++];
    if (token !== "{" && token !== "[") return { text: token };
    const node = { open: token, close: token === "{" ? "}" : "]", items: [] };
    while (tokens[at] !== node.close) {
      if (tokens[at] === ",") at++;
      let key;
      if (token === "{") [key, at] = [tokens[at], at + 2];
      node.items.push({ key, value: value() });
    }
    at++;
    return node;
  };
  return value();
}

// flat writes a node on one line.
const flat = (n) => (n.text !== undefined ? n.text
  : n.open + n.items.map(({ key, value }) => (key === undefined ? "" : `${key}: `) + flat(value)).join(", ") + n.close);

const leaf = (n) => n.text !== undefined;

// lines calls write with each piece of a layout: its kind and its text. The kinds "open" and "close"
// enclose what can be folded.
function lay(n, indent, inline, write) {
  if (leaf(n)) return write(n.text[0] === '"' ? "string" : /^[tfn]/.test(n.text) ? "literal" : "number", n.text);
  const deeper = `${indent}  `;
  const one = n.items.length === 0 || (inline && n.items.every((i) => leaf(i.value)) && indent.length + flat(n).length <= WIDTH);
  const fill = !one && n.open === "[" && n.items.every((i) => leaf(i.value) && i.value.text[0] !== '"');
  write("", n.open);
  if (!one) write("open", String(n.items.length));
  let column = deeper.length;
  n.items.forEach(({ key, value }, i) => {
    const size = fill ? value.text.length + 2 : 0;
    const wrap = !one && (!fill || i === 0 || column + size > WIDTH);
    if (wrap) column = deeper.length;
    column += size;
    write("", wrap ? `\n${deeper}` : i > 0 ? " " : "");
    if (key !== undefined) {
      write("key", key);
      write("", ": ");
    }
    lay(value, one ? indent : deeper, true, write);
    if (i < n.items.length - 1) write("", ",");
  });
  if (!one) {
    write("", `\n${indent}`);
    write("close", "");
  }
  return write("", n.close);
}

// pretty lays JSON out. Other text stays as it is.
export function pretty(text) {
  const tree = parse(text);
  if (!tree) return text;
  let out = "";
  lay(tree, "", false, (kind, piece) => { if (kind !== "open" && kind !== "close") out += piece; });
  return out;
}

// coloured is pretty, in elements, with a button at each list and object that folds it.
export function coloured(text) {
  const tree = text.length < 200_000 && parse(text);
  if (!tree) return [text];
  const root = [];
  const stack = [root];
  let depth = 0;
  lay(tree, "", false, (kind, piece) => {
    const into = stack.at(-1);
    if (kind === "open") {
      const inner = h("span", { class: "inner" });
      stack.push([]);
      stack.at(-1).inner = inner;
      if (depth++ > 0) {
        const label = piece === "1" ? "1 item" : `${piece} items`;
        const button = h("button", { type: "button", class: "folder", "aria-expanded": "true", "aria-label": `Fold ${label}`, "data-count": label,
          onclick: () => button.setAttribute("aria-expanded", String(inner.toggleAttribute("hidden") === false)) });
        into.push(button);
      }
      into.push(inner);
    } else if (kind === "close") {
      const list = stack.pop();
      list.inner.append(...list);
      depth--;
    } else into.push(kind ? h("span", { class: `j-${kind}` }, piece) : piece);
  });
  return root;
}

// tint colours the JSON that a text holds, and changes nothing else of it.
export function tint(text) {
  const out = [];
  let last = 0;
  for (const m of text.matchAll(TOKEN)) {
    const kind = m[0][0] === '"' ? (/^\s*:/.test(text.slice(m.index + m[0].length)) ? "key" : "string")
      : /^[-\d]/.test(m[0]) ? "number" : /^[tfn]/.test(m[0]) ? "literal" : "";
    if (!kind) continue;
    out.push(text.slice(last, m.index), h("span", { class: `j-${kind}` }, m[0]));
    last = m.index + m[0].length;
  }
  return [...out, text.slice(last)];
}

// block shows JSON or other text under a bar with a name and a button that copies it.
export function block(name, label) {
  const said = h("span", { class: "copied", role: "status" });
  const pre = h("pre", { tabindex: "0", role: "region", "aria-label": label });
  const head = h("span", { class: "label" }, name);
  const button = h("button", { type: "button", class: "copy", onclick: () => copy(text, said) }, "Copy");
  const el = h("div", { class: "block" }, h("div", { class: "bar" }, head, said, button), pre);
  let text = "";
  const show = (next, nodes) => {
    text = next;
    button.hidden = pre.hidden = !next;
    pre.replaceChildren(...(nodes || coloured(next)));
  };
  show("");
  return { el, pre, head, show };
}
