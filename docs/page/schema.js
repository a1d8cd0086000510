// Shows JSON Schema as the document uses it: references, limits in words, a table of fields.

import { h, prose } from "./dom.js";

// resolve follows $ref inside the document.
export function resolve(doc, node) {
  return node.$ref ? node.$ref.slice(2).split("/").reduce((at, key) => at[key], doc) : node;
}

// typeOf names a schema in a few words: "integer", "list of Prediction".
export function typeOf(doc, node) {
  if (node.$ref) return node.$ref.split("/").pop();
  if (node.anyOf) return node.anyOf.map((n) => typeOf(doc, n)).join(" or ");
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.type === "array") return `list of ${node.items ? typeOf(doc, node.items) : "anything"}`;
  return node.type || "anything";
}

// limitsOf puts the limits of a value into words.
export function limitsOf(node) {
  const out = (node.anyOf || []).flatMap(limitsOf);
  const show = (x) => (x >= 1e12 ? x.toExponential() : x);
  const span = (lo, hi, unit) => {
    if (lo !== undefined && hi !== undefined) out.push(`${show(lo)} to ${show(hi)}${unit}`);
    else if (lo !== undefined) out.push(`at least ${lo}${unit}`);
    else if (hi !== undefined) out.push(`at most ${hi}${unit}`);
  };
  span(node.minimum, node.maximum, "");
  span(node.minLength, node.maxLength, " characters");
  span(node.minItems, node.maxItems, " items");
  if (node.format) out.push(node.format);
  if (node.enum) out.push(node.enum.map((v) => JSON.stringify(v)).join(", "));
  if (node.default !== undefined) out.push(`default ${JSON.stringify(node.default)}`);
  if (node.type === "array" && node.items) out.push(...limitsOf(node.items).map((l) => `each ${l}`));
  return out;
}

// fields describes a schema. The schemas that it names are folded inside it.
export function fields(doc, node) {
  const schema = resolve(doc, node);
  if (schema.items) return fields(doc, schema.items);
  if (!schema.properties) return null;
  const inner = new Map();
  const collect = (n) => {
    if (n.$ref) inner.set(n.$ref, n);
    [n.items, ...(n.anyOf || [])].filter(Boolean).forEach(collect);
  };
  Object.values(schema.properties).forEach(collect);
  return [
    h("dl", { class: "fields" }, Object.entries(schema.properties).map(([name, p]) => field(doc, name, p, schema.required?.includes(name)))),
    [...inner.values()].map((n) => h("details", { class: "fold small" }, h("summary", {}, typeOf(doc, n)),
      prose(resolve(doc, n).description), fields(doc, n))),
  ];
}

// field is one row of that table. Parameters use it too.
export function field(doc, name, schema, required, text) {
  return h("div", {},
    h("dt", {}, h("code", {}, name), required && h("span", { class: "required" }, "required")),
    h("dd", {},
      h("span", { class: "type" }, [typeOf(doc, schema), ...limitsOf(resolve(doc, schema))].join(" · ")),
      prose(text || resolve(doc, schema).description)));
}
