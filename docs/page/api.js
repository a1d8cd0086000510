// Calls the server that served the page, and puts its errors into words.

import { $ } from "./dom.js";

// The page is at docs below the root of the API. A proxy may have put the root anywhere.
export const root = new URL(".", document.baseURI);

// call returns {status, statusText, headers, text, json, ms}. It throws only when no answer came.
export async function call(method, path, { body, headers, signal } = {}) {
  const init = { method, signal, headers: { ...headers } };
  if (body !== undefined) {
    init.body = typeof body === "string" ? body : JSON.stringify(body);
    init.headers["Content-Type"] = "application/json";
  }
  if ($("key").value) init.headers.Authorization = `Bearer ${$("key").value}`;
  const start = performance.now();
  const res = await fetch(new URL(path.replace(/^\//, ""), root), init);
  const text = await res.text();
  const ms = performance.now() - start;
  if (res.status === 401) $("auth").hidden = false;
  let json;
  if ((res.headers.get("Content-Type") || "").includes("json")) {
    try { json = JSON.parse(text); } catch { /* NDJSON or no JSON: shown as text */ }
  }
  return { status: res.status, statusText: res.statusText, headers: res.headers, text, json, ms };
}

// get and post return the JSON of a success, or throw an error with a message for the reader.
export const get = (path, signal) => need(call("GET", path, { signal }));
export const post = (path, body, signal) => need(call("POST", path, { body, signal }));

async function need(pending) {
  let res;
  try {
    res = await pending;
  } catch (err) {
    if (err.name === "AbortError") throw err;
    throw new Error("The server does not answer. Is it running?");
  }
  if (res.status === 200 && res.json !== undefined) return res.json;
  throw new Error(words(res));
}

// words says what an error answer means.
export function words({ status, statusText, headers, json }) {
  const detail = json?.detail;
  if (Array.isArray(detail)) return detail.map(fault).join(" ");
  const said = typeof detail === "string" ? `${detail}.` : `The server answered ${status} ${statusText}.`;
  const wait = headers.get("Retry-After");
  return wait ? `${said} Try again in ${wait} s.` : said;
}

function fault({ loc, msg, ctx }) {
  const why = typeof ctx?.error === "string" && !msg.includes(ctx.error) ? `: ${ctx.error}` : "";
  return `${[...loc.slice(1), msg].join(": ")}${why}.`;
}
