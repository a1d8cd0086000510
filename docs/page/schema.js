// Shows JSON Schema as the document uses it: references, limits in words, a table of fields.

import { h, prose } from "./dom.js";

// resolve follows $ref inside the document.
export function resolve(doc, node) {
  return node.$ref ? node.$ref.slice(2).split("/").reduce((at, key) => at[key], doc) : node;
}

// choices are the schemas of which one must fit. One without a type says only that all else is taken too.
const choices = (node) => {
  const typed = (node.anyOf || []).filter((n) => n.$ref || n.type || n.anyOf);
  return typed.length ? typed : node.anyOf || [];
};

// typeOf names a schema in a few words: "integer", "list of Prediction".
export function typeOf(doc, node) {
  if (node.$ref) return node.$ref.split("/").pop();
  if (node.anyOf) return [...new Set(choices(node).map((n) => typeOf(doc, n)))].join(" or ");
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.type === "array") return node.items && Object.keys(node.items).length ? `list of ${typeOf(doc, node.items)}` : "list";
  if (node.type === "null") return "null";
  return node.type || "any value";
}

// limitsOf puts the limits of a value into words.
export function limitsOf(node) {
  const out = choices(node).flatMap(limitsOf);
  const show = (x) => (Math.abs(x) >= 1e12 ? x.toExponential() : x);
  const span = (lo, hi, unit) => {
    if (lo !== undefined && hi !== undefined) out.push(lo === hi ? `${show(lo)}${unit}` : `${show(lo)} to ${show(hi)}${unit}`);
    else if (lo !== undefined) out.push(`at least ${show(lo)}${unit}`);
    else if (hi !== undefined) out.push(`at most ${show(hi)}${unit}`);
  };
  span(node.minimum, node.maximum, "");
  span(node.minLength, node.maxLength, " characters");
  span(node.minItems, node.maxItems, " items");
  if (node.multipleOf) out.push(`a multiple of ${node.multipleOf}`);
  if (node.format) out.push(node.format === "date" ? "YYYY-MM-DD" : node.format);
  if (node.enum) out.push(node.enum.map((v) => JSON.stringify(v)).join(", "));
  if (node.default !== undefined && node.default !== "") out.push(`default ${JSON.stringify(node.default)}`);
  if (node.type === "array" && node.items) out.push(...limitsOf(node.items).map((l) => `each ${l}`));
  return out;
}

// lazy is a fold that is filled when it is opened.
export function lazy(props, summary, fill) {
  const el = h("details", props, h("summary", {}, summary));
  el.fill = () => {
    if (fill) el.append(...[fill()].flat(Infinity).filter(Boolean));
    fill = undefined;
  };
  el.addEventListener("toggle", () => el.open && el.fill());
  return el;
}

// words names a schema with its limits. Where there is a choice, each kind has its own.
function words(doc, schema) {
  const one = (n) => [typeOf(doc, n), ...limitsOf(n.$ref ? {} : n)].join(" · ");
  const kinds = choices(schema);
  if (kinds.length < 2) return one(schema);
  const each = kinds.map((n) => {
    const limits = n.$ref ? [] : limitsOf(n);
    return limits.length ? `${typeOf(doc, n)} (${limits.join(", ")})` : typeOf(doc, n);
  });
  return [[...new Set(each)].join(" or "), ...limitsOf({ ...schema, anyOf: undefined })].join(" · ");
}

// fields describes a schema. The schemas that it names are folded inside it. Only fields that a reader
// has to fill in are marked as required.
export function fields(doc, node, asked) {
  const schema = resolve(doc, node);
  if (schema.items) return fields(doc, schema.items, asked);
  if (!schema.properties) return null;
  const inner = new Map();
  const collect = (n) => {
    if (n.$ref) inner.set(n.$ref, n);
    [n.items, ...(n.anyOf || [])].filter(Boolean).forEach(collect);
  };
  Object.values(schema.properties).forEach(collect);
  return [
    h("dl", { class: "fields" }, Object.entries(schema.properties).map(([name, p]) => field(doc, name, p, asked && schema.required?.includes(name)))),
    [...inner.values()].map((n) => lazy({ class: "fold small nested" }, h("code", {}, typeOf(doc, n)), () =>
      [prose(resolve(doc, n).description), fields(doc, n, asked) || plain(doc, n)])),
  ];
}

// plain describes a schema without fields.
export const plain = (doc, node) => h("p", { class: "type" }, words(doc, resolve(doc, node)));

// field is one row of that table. Parameters use it too.
export function field(doc, name, schema, required, text, where) {
  return h("div", { "data-field": name },
    h("dt", {}, h("code", {}, name), required && h("span", { class: "required" }, "required"), where && h("span", { class: "hint" }, where)),
    h("dd", {},
      h("span", { class: "type" }, schema.$ref ? [typeOf(doc, schema), ...limitsOf(resolve(doc, schema))].join(" · ") : words(doc, schema)),
      prose(text || resolve(doc, schema).description)));
}
