// Writes a request as a program in several languages.

import { h, copy } from "./dom.js";

const sh = (s) => `'${s.replaceAll("'", `'\\''`)}'`;
const goString = (s) => (s.includes("`") ? JSON.stringify(s) : `\`${s}\``);

// Python spells three JSON values differently. Strings are matched first and kept as they are.
const python = (v) => JSON.stringify(v).replace(/"(?:[^"\\]|\\.)*"|true|false|null/g,
  (t) => ({ true: "True", false: "False", null: "None" })[t] || t);

const writers = {
  curl({ method, url, body, headers }) {
    const parts = [method === "HEAD" ? "curl -I" : method === "GET" ? "curl" : `curl -X ${method}`];
    parts[0] += ` ${sh(url)}`;
    for (const [k, v] of Object.entries(headers)) parts.push(`-H ${sh(`${k}: ${v}`)}`);
    if (body !== undefined) parts.push(`-d ${sh(body)}`);
    return parts.join(" \\\n  ");
  },
  Python({ method, url, body, json, headers }) {
    const args = [python(url), `headers=${python(headers)}`, "timeout=10"];
    if (body !== undefined) args.push(json === undefined ? `data=${python(body)}` : `json=${python(json)}`);
    return `import requests\n\nanswer = requests.${method.toLowerCase()}(\n${args.map((a) => `    ${a},\n`).join("")})\nprint(answer.status_code, answer.text)`;
  },
  Go({ method, url, body, headers }) {
    const imports = ["fmt", "io", "log", "net/http", ...(body === undefined ? [] : ["strings"])].map((i) => `\t"${i}"\n`).join("");
    const reader = body === undefined ? "nil" : `strings.NewReader(${goString(body)})`;
    const set = Object.entries(headers).map(([k, v]) => `\treq.Header.Set(${JSON.stringify(k)}, ${JSON.stringify(v)})\n`).join("");
    return `package main\n\nimport (\n${imports})\n\nfunc main() {\n\treq, err := http.NewRequest(${JSON.stringify(method)}, ${JSON.stringify(url)}, ${reader})\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n${set}\tres, err := http.DefaultClient.Do(req)\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n\tdefer res.Body.Close()\n\tanswer, err := io.ReadAll(res.Body)\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n\tfmt.Println(res.Status, string(answer))\n}`;
  },
  JavaScript({ method, url, body, json, headers }) {
    const init = [`  method: ${JSON.stringify(method)},`, `  headers: ${JSON.stringify(headers)},`];
    if (body !== undefined) init.push(`  body: ${json === undefined ? JSON.stringify(body) : `JSON.stringify(${body})`},`);
    return `const answer = await fetch(${JSON.stringify(url)}, {\n${init.join("\n")}\n});\nconsole.log(answer.status, await answer.text());`;
  },
};

// snippets makes a block that shows a request in the chosen language. update sets the request.
export function snippets(label) {
  let request;
  let language = "curl";
  const code = h("code", {});
  const said = h("span", { class: "copied", role: "status" });
  const show = () => { code.textContent = writers[language](request); };
  const tabs = h("div", { class: "tabs", role: "group", "aria-label": `${label}: language` },
    Object.keys(writers).map((name) => h("button", {
      type: "button", "aria-pressed": String(name === language),
      onclick(e) {
        language = name;
        for (const b of tabs.children) b.setAttribute("aria-pressed", String(b === e.target));
        show();
      },
    }, name)));
  const button = h("button", { type: "button", onclick: () => copy(code.textContent, said) }, "Copy");
  const el = h("div", { class: "snippets" }, h("div", { class: "bar" }, tabs, button, said),
    h("pre", { tabindex: "0", "aria-label": label }, code));
  function update(next) {
    let json;
    try { json = JSON.parse(next.body); } catch { /* no valid JSON: shown as typed */ }
    request = { ...next, json, body: json === undefined ? next.body : JSON.stringify(json) };
    show();
  }
  return { el, update };
}
