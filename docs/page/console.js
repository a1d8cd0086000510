// The panel beside a route: its request in code, a form that changes and sends it, and the answer, which
// is the document's example until there is a real one.

import { h, copy } from "./dom.js";
import { call, root, words } from "./api.js";
import { limitsOf, resolve } from "./schema.js";
import { block, pretty } from "./json.js";
import { snippets } from "./snippets.js";

// tryPanel returns the panel of one operation of the document.
export function tryPanel(doc, method, path, op) {
  const id = op.operationId;
  const inputs = (op.parameters || []).map((p) => resolve(doc, p)).map((p) => ({ ...p, el: input(p, `${id}-${p.name}`) }));
  const rows = inputs.map((p) => h("div", { class: "field" },
    h("label", { for: p.el.id }, p.name, p.required && h("span", { class: "hint" }, "required")), p.el));
  const content = op.requestBody?.content["application/json"];
  const responses = op.responses["200"].content || {};
  // Binary tensors are asked for in the body.
  const types = Object.keys(responses).filter((t) => t !== "application/octet-stream");
  const named = Object.entries(content?.examples || {});
  const answer = answerPanel(op);

  const choice = (name, label, options, onchange) => {
    const el = h("select", { id: `${id}-${name}`, onchange }, options.map(([value, text]) => h("option", { value }, text)));
    return { el, row: h("div", { class: "field" }, h("label", { for: el.id }, label), el) };
  };
  const example = named.length > 1 && choice("example", "Example", named.map(([name, x]) => [name, x.summary]), () => { fill(); restart(); });
  const accept = content && types.length > 1 && choice("accept", "Accept", types.map((t) => [t, t]), () => restart());
  const verb = method === "GET" && choice("method", "Method", [["GET", "GET"], ["HEAD", "HEAD"]], () => restart());
  const body = content && h("textarea", { id: `${id}-body`, rows: "7", spellcheck: "false", autocapitalize: "off" });
  const chosen = () => (example ? example.el.value : named[0]?.[0]);
  const fill = () => {
    if (!body) return;
    body.value = pretty(JSON.stringify(content.examples[chosen()].value));
    body.rows = Math.min(18, body.value.split("\n").length + 1);
  };

  // request is what Send sends and the code shows, or the reason why there is none yet. A body is sent
  // as it was typed, even if it is invalid: a reader may want to see the error.
  const request = () => {
    const wrong = inputs.find((p) => p.in === "path" && !p.el.validity.valid);
    if (wrong) return `${wrong.name}: ${wrong.el.validationMessage || "not valid"}`;
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
    if (accept && accept.el.value !== "application/json") headers.Accept = accept.el.value;
    return { method: verb ? verb.el.value : method, path: url, url: new URL(url.slice(1), root).href, headers, open: !op.security,
      body: body && (body.value.toWellFormed?.() ?? body.value) };
  };

  const code = snippets(`${op.summary}: the request in code`);
  const show = () => {
    const type = accept ? accept.el.value : types[0];
    const media = responses[type] || {};
    const shown = media.examples?.[chosen()]?.value ?? media.example;
    answer.example(verb && verb.el.value === "HEAD" ? undefined : shown);
  };
  const send = h("button", { class: "primary" }, "Send");
  const cancel = h("button", { type: "button", hidden: true, onclick: () => pending?.abort() }, "Cancel");
  const said = h("span", { role: "status", class: "hint" });
  const busy = (on) => {
    send.textContent = on ? "Sending…" : "Send";
    cancel.hidden = !on;
    answer.el.classList.toggle("stale", on);
  };
  let pending;
  async function submit(e) {
    e.preventDefault();
    pending?.abort(); // an earlier answer must not come behind a later one
    const mine = pending = new AbortController();
    const req = request();
    busy(true);
    said.textContent = "";
    try {
      const res = await call(req.method, req.path, { body: req.body, headers: req.headers, signal: mine.signal });
      if (pending !== mine) return;
      answer.real(res);
    } catch (err) {
      if (pending !== mine) return;
      if (err.name === "AbortError") said.textContent = "Cancelled.";
      else answer.failed(`No answer: ${err.message}. Is the server running?`);
    }
    busy(false);
  }
  // Another example, type or method has another answer.
  function restart() {
    pending?.abort();
    code.update(request());
    show();
  }

  const copied = h("span", { class: "copied", role: "status" });
  const edit = h("details", { class: "fold attempt" }, h("summary", {}, content ? "Change the request" : "Change the parameters"),
    h("div", { class: "grid" }, rows, accept && accept.row, verb && verb.row,
      body && h("div", { class: "field wide" }, h("div", { class: "bar" }, h("label", { for: body.id }, "Body"), copied,
        h("button", { type: "button", class: "copy", "aria-label": "Copy the body", onclick: () => copy(body.value, copied) }, "Copy")), body)));
  const form = h("form", {
    class: "try", onsubmit: submit, oninput: () => code.update(request()),
    onkeydown: (e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); form.requestSubmit(); } },
  }, example && h("div", { class: "which" }, example.row), edit,
  h("div", { class: "bar" }, send, cancel, said, h("kbd", { class: "hint", title: "in the form" }, "Ctrl Enter")));
  // A field that is not valid must be in sight to be pointed at.
  form.addEventListener("invalid", () => { edit.open = true; }, true);
  fill();
  restart();
  return [h("section", { class: "card", "aria-label": `${op.summary}: request` }, code.el, form), answer.el];
}

// input makes the field of a parameter, with the limits of its schema.
function input(p, id) {
  const s = p.schema;
  const value = p.required || p.in === "query" ? p.example ?? s.default : undefined;
  const hint = limitsOf(s).join(" · ");
  const common = { id, value, required: p.required, spellcheck: "false", autocapitalize: "off", title: hint || undefined };
  if (s.enum && p.required) return h("select", { id }, s.enum.map((v) => h("option", {}, v)));
  if (s.type === "integer" || s.type === "number") {
    return h("input", { ...common, type: "number", min: s.minimum, max: s.maximum, step: s.type === "integer" ? "1" : "any" });
  }
  if (s.format === "date") return h("input", { ...common, pattern: "\\d{4}-\\d{2}-\\d{2}", placeholder: "YYYY-MM-DD", title: "A day as YYYY-MM-DD" });
  // A client would take . and .. for a way up, not for a name.
  const pattern = p.in === "path" ? "(?!\\.{1,2}$).+" : s.pattern;
  return h("input", { ...common, pattern, minlength: s.minLength, maxlength: s.maxLength,
    title: p.in === "path" ? `A name other than . and ..${hint ? ` · ${hint}` : ""}` : common.title });
}

// answerPanel shows the example of an answer or a real one.
function answerPanel(op) {
  const view = block("Answer", `${op.summary}: the answer`);
  const note = h("p", { class: "error", hidden: true });
  const headers = h("details", { class: "fold small", hidden: true }, h("summary", {}, "Headers"),
    h("pre", { tabindex: "0", role: "region", "aria-label": `${op.summary}: headers of the answer` }));
  const el = h("section", { class: "card result", "aria-label": `${op.summary}: answer` }, view.el, note, headers);
  const live = h("span", { role: "status" });
  view.head.replaceChildren(live);
  const chip = (status, text, kind, rest) => live.replaceChildren(h("strong", { class: `status ${kind}` }, `${status} ${text}`), h("span", { class: "hint" }, rest));
  const error = (text) => {
    note.textContent = text;
    note.hidden = !text;
  };
  return {
    el,
    example(value) {
      error("");
      headers.hidden = true;
      chip(200, "OK", "ok", value === undefined ? "no body shown" : "example");
      view.show(value === undefined ? "" : typeof value === "string" ? value : pretty(JSON.stringify(value)));
    },
    real(res) {
      const size = new Blob([res.text]).size;
      chip(res.status, res.statusText, res.status < 400 ? "ok" : "bad", `${res.ms.toFixed(res.ms < 10 ? 1 : 0)} ms · ${size.toLocaleString("en-US")} bytes`);
      error(res.status < 400 ? "" : words(res));
      headers.hidden = false;
      headers.querySelector("pre").textContent = [...res.headers].map(([k, v]) => `${k}: ${v}`).join("\n");
      view.show(pretty(res.text));
    },
    failed(text) {
      live.replaceChildren(h("strong", { class: "status bad" }, "No answer"));
      headers.hidden = true;
      view.show("");
      error(text);
    },
  };
}
