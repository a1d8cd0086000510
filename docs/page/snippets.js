// Writes a request as a program in several languages. A key is never in it: where the server asks for
// keys, the program takes its own from the environment.

import { h, copy } from "./dom.js";
import { tint } from "./json.js";

const KEY = "TICKERCAST_KEY";
const BEARER = `Bearer $${KEY}`;

const quote = (s) => JSON.stringify(s);
const sh = (s) => (s === `Authorization: ${BEARER}` ? `"${s}"` : `'${s.replaceAll("'", `'\\''`)}'`);

// The text of a body stands in the program as it was typed, where the language has quotes for it.
const python = (s) => (/'''|\\$|'$|\r/.test(s) || !s.includes("\n") ? quote(s) : `r'''${s}'''`);
const go = (s) => (/[`\r\ufeff]/.test(s) ? goQuote(s) : `\`${s}\``);
const goQuote = (s) => quote(s).replace(/[\u007f-\u00a0\ufeff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
const script = (s) => (s.includes("\n") ? `\`${s.replace(/[`\\]|\$\{/g, "\\$&")}\`` : quote(s));

// pairs writes a header a line. The key is an expression of the language.
const pairs = (headers, indent, key) => Object.entries(headers)
  .map(([name, value]) => `${indent}${quote(name)}: ${value === BEARER ? key : quote(value)},\n`).join("");

const writers = {
  curl({ method, url, body, headers }) {
    const parts = [method === "HEAD" ? "curl -I" : method === "GET" ? "curl" : `curl -X ${method}`];
    parts[0] += ` ${sh(url)}`;
    for (const [k, v] of Object.entries(headers)) parts.push(`-H ${sh(`${k}: ${v}`)}`);
    if (body !== undefined) parts.push(`--data-raw ${sh(body)}`);
    return parts.join(" \\\n  ");
  },
  Python({ method, url, body, headers }) {
    const keyed = headers.Authorization === BEARER;
    const fields = pairs(headers, "        ", `os.path.expandvars(${quote(BEARER)})`);
    return `${keyed ? "import os\n" : ""}import urllib.error\nimport urllib.request\n\n`
      + `request = urllib.request.Request(\n    ${quote(url)},\n    method=${quote(method)},\n`
      + (fields ? `    headers={\n${fields}    },\n` : "")
      + (body === undefined ? "" : `    data=${python(body)}.encode(),\n`)
      + ")\ntry:\n    with urllib.request.urlopen(request, timeout=10) as answer:\n"
      + (method === "HEAD" ? "        print(answer.headers)\n" : "        print(answer.read().decode())\n")
      + `except urllib.error.HTTPError as refused:\n    raise SystemExit(f"{refused.code}: {refused.read().decode()}")`;
  },
  Go({ method, url, body, headers }) {
    const keyed = headers.Authorization === BEARER;
    const packages = ["fmt", "io", "log", "net/http", ...(keyed ? ["os"] : []), ...(body === undefined ? [] : ["strings"])];
    const reader = body === undefined ? "nil" : `strings.NewReader(${go(body)})`;
    const set = Object.entries(headers).map(([k, v]) =>
      `\treq.Header.Set(${quote(k)}, ${v === BEARER ? `os.ExpandEnv(${quote(v)})` : goQuote(v)})\n`).join("");
    return `package main\n\nimport (\n${packages.map((p) => `\t"${p}"\n`).join("")})\n\nfunc main() {\n`
      + `\treq, err := http.NewRequest(${quote(method)}, ${goQuote(url)}, ${reader})\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n`
      + `${set}\tres, err := http.DefaultClient.Do(req)\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n\tdefer res.Body.Close()\n`
      + "\tanswer, err := io.ReadAll(res.Body)\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n"
      + `\tif res.StatusCode >= 400 {\n\t\tlog.Fatal(res.Status, " ", string(answer))\n\t}\n`
      + `\tfmt.Println(${method === "HEAD" ? "res.Status, res.Header" : "string(answer)"})\n}`;
  },
  JavaScript({ method, url, body, headers }) {
    const fields = pairs(headers, "    ", `\`Bearer \${process.env.${KEY}}\``);
    const init = (method === "GET" ? "" : `  method: ${quote(method)},\n`) + (fields ? `  headers: {\n${fields}  },\n` : "")
      + (body === undefined ? "" : `  body: ${script(body)},\n`);
    return `${headers.Authorization === BEARER ? `// Authorization: ${BEARER}, from the environment of Node\n` : ""}`
      + `const answer = await fetch(${quote(url)}${init ? `, {\n${init}}` : ""});\n`
      + `console.log(${method === "HEAD" ? "answer.status, answer.headers" : "await answer.text()"});\n`
      + "if (!answer.ok) process.exitCode = 1;";
  },
};

// keysAsked reports whether the server wants API keys. The server says so in the page, or by a 401.
export const keysAsked = () => document.documentElement.dataset.keys === "asked" || document.getElementById("auth")?.hidden === false;

let language = "curl"; // chosen once for all blocks of the page
const blocks = new Set();

// snippets makes a block that shows a request in the chosen language. update sets the request:
// {method, url, headers, body, open}, where open says that it needs no key, or a string instead that
// says why there is none.
export function snippets(label) {
  let request;
  const code = h("code", {});
  const said = h("span", { class: "copied", role: "status" });
  const tabs = h("div", { class: "tabs", role: "group", "aria-label": `${label}: language` },
    Object.keys(writers).map((name) => h("button", {
      type: "button",
      onclick: () => {
        language = name;
        for (const b of blocks) b();
      },
    }, name)));
  const button = h("button", { type: "button", class: "copy", onclick: () => copy(code.textContent, said) }, "Copy");
  const note = h("p", { class: "note" }, "Put your key into the environment first: ", h("code", {}, `export ${KEY}=…`));
  const el = h("div", { class: "snippets" }, h("div", { class: "bar" }, tabs, said, button),
    h("pre", { tabindex: "0", role: "region", "aria-label": label }, code), note);

  function show() {
    for (const b of tabs.children) b.setAttribute("aria-pressed", String(b.textContent === language));
    if (!request) return;
    const keyed = !request.open && keysAsked();
    button.disabled = typeof request === "string";
    note.hidden = button.disabled || !keyed;
    if (button.disabled) code.textContent = request;
    else {
      const text = writers[language]({ ...request, headers: { ...request.headers, ...(keyed && { Authorization: BEARER }) } });
      const at = request.body ? text.indexOf(request.body) : -1; // in most programs the body stands as it was typed
      if (at < 0) code.textContent = text;
      else code.replaceChildren(text.slice(0, at), ...tint(request.body), text.slice(at + request.body.length));
    }
  }
  blocks.add(show);
  // A 401 may tell that keys are asked for.
  new MutationObserver(show).observe(document.getElementById("auth"), { attributeFilter: ["hidden"] });
  show();
  return { el, update(next) { request = next; show(); } };
}
