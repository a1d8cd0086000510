// The form that tries a route: it holds a valid example, is sent to this server, and shows the answer.

import { h } from "./dom.js";
import { call, root, words } from "./api.js";
import { resolve } from "./schema.js";
import { snippets } from "./snippets.js";

// tryForm returns the form for one operation of the document.
export function tryForm(doc, method, path, op) {
  const id = op.operationId;
  const inputs = (op.parameters || []).map((p) => resolve(doc, p)).map((p) => {
    const example = p.required || p.in === "query" ? p.example ?? p.schema.default : undefined;
    return { ...p, el: h("input", { id: `${id}-${p.name}`, value: example, spellcheck: "false" }) };
  });
  const rows = inputs.map((p) => h("div", { class: "field" }, h("label", { for: p.el.id }, p.name), p.el));

  let body;
  const content = op.requestBody?.content["application/json"];
  if (content) {
    const examples = Object.values(content.examples);
    body = h("textarea", { id: `${id}-body`, rows: "6", spellcheck: "false" });
    const fill = (i) => { body.value = pretty(examples[i].value); };
    fill(0);
    rows.push(
      h("div", { class: "field" }, h("label", { for: `${id}-example` }, "Example"),
        h("select", { id: `${id}-example`, onchange: (e) => { fill(e.target.value); update(); } },
          examples.map((x, i) => h("option", { value: String(i) }, x.summary)))),
      h("div", { class: "field wide" }, h("label", { for: body.id }, "Body"), body));
  }

  const choice = (name, label, options) => {
    const el = h("select", { id: `${id}-${name}` }, options.map((o) => h("option", {}, o)));
    rows.push(h("div", { class: "field" }, h("label", { for: el.id }, label), el));
    return el;
  };
  // Binary tensors are asked for in the body.
  const types = Object.keys(op.responses["200"].content).filter((t) => t !== "application/octet-stream");
  const accept = content && types.length > 1 ? choice("accept", "Accept", types) : undefined;
  const verb = method === "GET" ? choice("method", "Method", ["GET", "HEAD"]) : { value: method };

  const request = () => {
    let url = path;
    const query = new URLSearchParams();
    const headers = {};
    for (const p of inputs) {
      const value = p.el.value;
      if (p.in === "path") url = url.replace(`{${p.name}}`, encodeURIComponent(value));
      else if (value === "") continue;
      else if (p.in === "query") query.set(p.name, value);
      else headers[p.name] = value;
    }
    if (String(query)) url += `?${query}`;
    if (body) headers["Content-Type"] = "application/json";
    if (accept && accept.value !== "application/json") headers.Accept = accept.value;
    // The body is sent as typed, even if it is invalid: a reader may want to see the error.
    return { method: verb.value, path: url, url: new URL(url.slice(1), root).href, headers, body: body?.value };
  };

  const code = snippets(`${method} ${path} in code`);
  const update = () => code.update(request());
  const answer = h("div", { class: "result", "aria-live": "polite" });
  const send = async (e) => {
    e.preventDefault();
    const req = request();
    try {
      answer.replaceChildren(...result(await call(req.method, req.path, req)));
    } catch (err) {
      answer.replaceChildren(h("p", { class: "error" }, `No answer: ${err.message}. Is the server running?`));
    }
  };
  const form = h("form", { class: "try", onsubmit: send, oninput: update },
    h("div", { class: "grid" }, rows), h("div", { class: "bar" }, h("button", { class: "primary" }, "Send")), answer,
    h("details", { class: "fold small" }, h("summary", {}, "In code"), code.el));
  update();
  return form;
}

function result(res) {
  const ok = res.status < 400;
  const size = new Blob([res.text]).size;
  const shown = res.json === undefined ? res.text : pretty(res.json);
  return [
    h("p", { class: ok ? "status ok" : "status bad" }, h("strong", {}, `${res.status} ${res.statusText}`),
      ` in ${res.ms.toFixed(res.ms < 10 ? 1 : 0)} ms, ${size.toLocaleString("en-US")} bytes`),
    !ok && h("p", { class: "error" }, words(res)),
    h("details", { class: "fold small" }, h("summary", {}, "Headers"),
      h("pre", { tabindex: "0", "aria-label": "Headers of the answer" }, [...res.headers].map(([k, v]) => `${k}: ${v}`).join("\n"))),
    shown && h("pre", { tabindex: "0", "aria-label": "Body of the answer" }, shown),
  ].filter(Boolean);
}

// pretty writes JSON over several lines, but a list of plain values on one.
export function pretty(value) {
  return JSON.stringify(value, null, 2).replace(/\[\n\s+([^[\]{}]*?)\n\s*\]/g, (_, list) => `[${list.replace(/\n\s*/g, " ")}]`);
}
