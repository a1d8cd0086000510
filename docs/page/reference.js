// Builds the reference from the OpenAPI document.

import { h, prose } from "./dom.js";
import { field, fields, resolve, typeOf } from "./schema.js";
import { pretty, tryForm } from "./console.js";

// reference fills the section with every operation of the document, by tag.
export function reference(doc, section) {
  const groups = doc.tags.map((tag) => ({ ...tag, ops: [] }));
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const [method, op] of Object.entries(item)) {
      groups.find((g) => g.name === op.tags[0]).ops.push({ method: method.toUpperCase(), path, op });
    }
  }
  const title = section.querySelector("h1");
  section.replaceChildren(
    h("nav", { class: "contents", "aria-label": "Routes" }, groups.map((g) => [
      h("h2", {}, g.name),
      h("ul", {}, g.ops.map(({ method, path, op }) => h("li", {}, h("a", { href: `#${op.operationId}` }, badge(method), h("span", {}, path))))),
    ])),
    h("div", { class: "routes" },
      h("header", {}, title, h("p", {}, doc.info.summary, " ", h("span", { class: "version" }, `API version ${doc.info.version}`)),
        prose(doc.info.description)),
      groups.map((g) => [
        h("h2", { class: "group" }, g.name),
        prose(g.description),
        g.ops.map((o) => operation(doc, o)),
      ])));
}

const badge = (method) => h("span", { class: `method ${method.toLowerCase()}` }, method);

function operation(doc, { method, path, op }) {
  const body = op.requestBody?.content["application/json"].schema;
  const params = (op.parameters || []).map((p) => resolve(doc, p));
  const attempt = h("details", { class: "fold attempt" }, h("summary", {}, "Try it"));
  attempt.addEventListener("toggle", () => attempt.append(tryForm(doc, method, path, op)), { once: true });
  return h("article", { id: op.operationId, "aria-labelledby": `${op.operationId}-title` },
    h("h3", { id: `${op.operationId}-title` }, badge(method), h("code", {}, path), h("span", { class: "what" }, op.summary)),
    prose(op.description),
    params.length > 0 && [h("h4", {}, "Parameters"),
      h("dl", { class: "fields" }, params.map((p) => field(doc, p.name, p.schema, p.required, `${p.description} In the ${p.in}.`)))],
    body && [h("h4", {}, "Body: ", h("span", { class: "type" }, typeOf(doc, body))), fields(doc, body)],
    h("h4", {}, "Answers"),
    answers(doc, op),
    attempt);
}

// answers folds the answers that every route can give, since they say little about this one.
function answers(doc, op) {
  const all = Object.values(doc.paths).flatMap((item) => Object.values(item));
  const everywhere = (code, r) => r.$ref && all.every((other) => other.responses[code]?.$ref === r.$ref);
  const shown = (list) => list.map(([code, r]) => response(doc, code, resolve(doc, r)));
  const entries = Object.entries(op.responses);
  const own = entries.filter(([code, r]) => !everywhere(code, r));
  const usual = entries.filter(([code, r]) => everywhere(code, r));
  return h("div", { class: "answers" }, shown(own), usual.length > 0 && h("details", { class: "fold small" },
    h("summary", {}, `As on every route: ${usual.map(([code]) => code).join(", ")}`), h("div", { class: "inset" }, shown(usual))));
}

function response(doc, code, r) {
  const content = Object.entries(r.content || {});
  const headers = Object.entries(r.headers || {});
  const kind = code < 300 ? "ok" : code < 400 ? "" : "bad";
  const head = [h("strong", { class: `code ${kind}` }, code), " ", r.description];
  if (!content.length && !headers.length) return h("p", { class: "plain" }, head);
  return h("details", { class: "fold small" }, h("summary", {}, head),
    headers.length > 0 && h("dl", { class: "fields" }, headers.map(([name, x]) => {
      const head = resolve(doc, x);
      return field(doc, name, head.schema, false, head.description);
    })),
    content.map(([type, c]) => [
      h("p", { class: "type" }, `${type}: ${typeOf(doc, c.schema)}`),
      fields(doc, c.schema),
      Object.values(c.examples || (c.example === undefined ? {} : { only: { value: c.example } })).map((x) => [
        x.summary && h("p", { class: "caption" }, x.summary),
        h("pre", { tabindex: "0", "aria-label": `Example of ${code}` }, typeof x.value === "string" ? x.value : pretty(x.value)),
      ]),
    ]));
}
