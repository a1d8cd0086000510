// One route of the reference: what it does and takes beside its request and answer.

import { h, prose, svg } from "./dom.js";
import { field, fields, lazy, plain, resolve, typeOf } from "./schema.js";
import { tryPanel } from "./console.js";
import { pretty, block } from "./json.js";
import { keysAsked } from "./snippets.js";

export const badge = (method) => h("span", { class: `method ${method.toLowerCase()}` }, method);

// lock marks a route that needs a key, on a server that asks for keys.
const lock = () => svg("svg", { class: "lock", viewBox: "0 0 16 16", width: 14, height: 14, role: "img", "aria-label": "needs an API key" },
  svg("title", {}, "needs an API key"),
  svg("path", { d: "M4.5 7V5a3.5 3.5 0 0 1 7 0v2M3.5 7h9v6.5h-9z" }));

// route returns the fold of one operation.
export function route(doc, { method, path, op }) {
  const name = h("h3", { id: `${op.operationId}-title` }, h("span", { class: "what" }, op.summary),
    h("span", { class: "path" }, badge(method), h("code", {}, path), op.security && keysAsked() && lock()));
  const el = lazy({ class: "route", id: op.operationId }, name, () => h("div", { class: "columns" },
    h("div", { class: "about" }, prose(op.description)),
    h("div", { class: "panel" }, tryPanel(doc, method, path, op)),
    h("div", { class: "parts" }, parts(doc, op))));
  return el;
}

const part = (name, ...kids) => h("section", { class: "part" }, h("p", { class: "label" }, name), kids);

function parts(doc, op) {
  const params = (op.parameters || []).map((p) => resolve(doc, p));
  const body = op.requestBody?.content["application/json"].schema;
  const ok = op.responses["200"];
  const content = Object.entries(ok.content || {});
  const others = (from, to) => Object.entries(op.responses).filter(([code]) => code >= from && code < to);
  const [moved, errors] = [others(300, 400), others(400, 600)];
  const fold = (name, list) => list.length > 0 && lazy({ class: "fold small others" },
    [h("span", {}, name), h("span", { class: "codes" }, list.map(([code]) => code).join(" "))],
    () => list.map(([code, r]) => response(doc, code, resolve(doc, r), op)));
  return [
    params.length > 0 && part("Parameters", h("dl", { class: "fields" },
      params.map((p) => field(doc, p.name, p.schema, p.required, p.description, `in the ${p.in}`)))),
    body && part(["Body ", h("span", { class: "type" }, typeOf(doc, body))], prose(resolve(doc, body).description), fields(doc, body, true)),
    part(["Response 200 ", h("span", { class: "type" }, content.map(([type, c]) => (type === "application/json" ? typeOf(doc, c.schema) : type)).join(" or "))],
      ok.description !== "Successful Response" && h("p", {}, ok.description),
      headersOf(doc, ok), content.map(([, c]) => fields(doc, c.schema))),
    fold("Errors", errors), fold("Without a body", moved),
  ];
}

const headersOf = (doc, r) => r.headers && lazy({ class: "fold small" }, `Headers: ${Object.keys(r.headers).join(", ")}`, () =>
  h("dl", { class: "fields" }, Object.entries(r.headers).map(([name, x]) => {
    const head = resolve(doc, x);
    return field(doc, name, head.schema, false, head.description);
  })));

// response is what a status means, with an example.
function response(doc, code, r, op) {
  const kind = code < 400 ? "" : "bad";
  const media = r.content?.["application/json"];
  const examples = media ? Object.values(media.examples || { only: { value: media.example } }) : [];
  return h("div", { class: "status-row" },
    h("p", {}, h("strong", { class: `code ${kind}` }, code), " ", r.description === "Validation Error" ? "The request is not valid. The detail lists each fault." : r.description),
    headersOf(doc, r),
    examples.map((x) => {
      const view = block(x.summary || "Example", `${op.summary}: example of ${code}${x.summary ? `, ${x.summary}` : ""}`);
      view.show(pretty(JSON.stringify(x.value)));
      return view.el;
    }));
}

// schemaFold is the fold of one schema of the document.
export const schemaFold = (doc, name) => lazy({ class: "fold small schema", id: `schema-${name}` }, h("code", {}, name), () => {
  const node = { $ref: `#/components/schemas/${name}` };
  return [prose(resolve(doc, node).description), fields(doc, node, true) || plain(doc, node)];
});
