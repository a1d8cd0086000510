// Calls the server that served the page, keeps the API key, and puts errors into words.

import { $ } from "./dom.js";

// The page is at docs below the root of the API. A proxy may have put the root anywhere.
export const root = new URL(".", document.baseURI);

const slot = `key of ${root.pathname}`; // two servers of one host may have different keys

// setKey uses a key from now on and keeps it until the tab is closed.
export function setKey(key) {
  $("key").value = key;
  try {
    if (key) sessionStorage.setItem(slot, key);
    else sessionStorage.removeItem(slot);
  } catch { /* without storage the key lasts until the page is loaded again */ }
}

export function loadKey() {
  try { $("key").value = sessionStorage.getItem(slot) || ""; } catch { /* there is none then */ }
  if ($("key").value) $("auth").hidden = false;
}

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
  if (res.status === 401) $("auth").hidden = false; // from now on, code for readers has a key too
  let json;
  if ((res.headers.get("Content-Type") || "").includes("json")) {
    try { json = JSON.parse(text); } catch { /* NDJSON or no JSON: shown as text */ }
  }
  return { status: res.status, statusText: res.statusText, headers: res.headers, text, json, ms };
}

// get and post return the JSON of a success, or throw a Failure, whose message is for the reader.
export const get = (path, signal) => need(call("GET", path, { signal }));
export const post = (path, body, signal) => need(call("POST", path, { body, signal }));

// A Failure has the status of an answer, or 0 without one. The same request may succeed later if it
// is passing, after the seconds in wait if the server named them.
export class Failure extends Error {
  constructor(message, status, wait) {
    super(message);
    Object.assign(this, { status, wait, passing: [0, 429, 502, 503, 504].includes(status) });
  }
}

async function need(pending) {
  let res;
  try {
    res = await pending;
  } catch (err) {
    if (err.name === "AbortError") throw err;
    throw new Failure("The server does not answer. Is it running?", 0);
  }
  if (res.status === 200 && res.json !== undefined) return res.json;
  throw new Failure(words(res), res.status, Number(res.headers.get("Retry-After")) || undefined);
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
