// Builds the reference from the OpenAPI document: a list of the routes, and a fold for each.

import { $, h, copy, prose } from "./dom.js";
import { root } from "./api.js";
import { badge, route, schemaFold } from "./route.js";
import { search } from "./search.js";
import { keysAsked } from "./snippets.js";

// reference fills the section with every operation of the document, by tag.
export function reference(doc, section) {
  const groups = doc.tags.map((tag) => ({ ...tag, ops: [] }));
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const [method, op] of Object.entries(item)) {
      groups.find((g) => g.name === op.tags[0]).ops.push({ method: method.toUpperCase(), path, op });
    }
  }
  const folds = new Map();
  for (const o of groups.flatMap((g) => g.ops)) folds.set(o.op.operationId, route(doc, o));
  const links = new Map();
  const link = ({ method, op }) => {
    const a = h("a", { href: `#${op.operationId}` }, h("span", {}, op.summary), badge(method));
    links.set(op.operationId, a);
    return h("li", {}, a);
  };
  const said = h("span", { class: "copied", role: "status" });
  const base = root.href.replace(/\/$/, "");
  const title = section.querySelector("h1");
  const schemas = Object.keys(doc.components.schemas).map((name) => schemaFold(doc, name));
  section.replaceChildren(
    h("nav", { class: "contents", "aria-label": "Routes" }, groups.map((g) => [
      h("p", { class: "label" }, g.name),
      h("ul", {}, g.ops.map(link)),
    ]), h("p", { class: "label" }, h("a", { href: "#schemas" }, "Schemas"))),
    h("div", { class: "routes" },
      h("header", {}, title, h("p", {}, doc.info.summary, " ", h("span", { class: "version" }, `API version ${doc.info.version}`)),
        h("div", { class: "prose" }, prose(doc.info.description)),
        h("p", { class: "base" }, h("span", { class: "label" }, "Base URL"), h("code", {}, base),
          h("button", { type: "button", class: "copy", onclick: () => copy(base, said), "aria-label": "Copy the base URL" }, "Copy"), said)),
      groups.map((g) => h("section", { class: "group" },
        h("div", { class: "group-head" }, h("h2", {}, g.name), prose(g.description)),
        g.ops.map((o) => folds.get(o.op.operationId)))),
      h("section", { class: "group", id: "schemas" }, h("div", { class: "group-head" }, h("h2", {}, "Schemas"),
        h("p", {}, "The objects of bodies and answers.")), schemas)));

  const all = () => [...folds.values(), ...schemas];
  const open = (id) => {
    const fold = all().find((f) => f.id === id);
    if (!fold) return;
    fold.fill(); // at once, so that it has its height when it is scrolled to
    fold.open = true;
  };
  const follow = () => open(decodeURIComponent(location.hash.slice(1)));
  addEventListener("hashchange", () => {
    follow();
    document.getElementById(location.hash.slice(1))?.scrollIntoView();
  });
  for (const [id, a] of links) a.addEventListener("click", () => open(id)); // the hash may be there already
  open("predict_predict_post");
  follow();
  mark(folds, links);
  authorize();
  printable(all);
  search({ doc, groups, show: (id, name) => show(folds.get(id), name) });
}

// show opens a route and points at one of its fields.
function show(fold, name) {
  fold.fill();
  fold.open = true;
  history.replaceState(null, "", `#${fold.id}`);
  const target = name && fold.querySelector(`[data-field="${CSS.escape(name)}"]`);
  for (const old of document.querySelectorAll(".found")) old.classList.remove("found");
  target?.classList.add("found");
  (target || fold).scrollIntoView({ block: target ? "center" : "start" });
  fold.querySelector("summary").focus({ preventScroll: true });
}

// authorize keeps the way to the field for the key in sight, wherever the field is.
function authorize() {
  const show = () => { $("authorize").hidden = !keysAsked(); };
  $("authorize").addEventListener("click", () => {
    $("key").scrollIntoView({ block: "center" });
    $("key").focus();
  });
  new MutationObserver(show).observe($("auth"), { attributeFilter: ["hidden"] });
  show();
}

// mark shows in the list which route is in sight: the last one that begins above a third of the window.
function mark(folds, links) {
  let due = false;
  const now = () => {
    due = false;
    let current;
    for (const [id, f] of folds) if (f.getBoundingClientRect().top < innerHeight / 3) current = id;
    for (const [id, a] of links) {
      if (id === current) a.setAttribute("aria-current", "true");
      else a.removeAttribute("aria-current");
    }
    if (current && getComputedStyle(links.get(current).closest("nav")).position === "sticky") {
      links.get(current).scrollIntoView?.({ block: "nearest", container: "nearest" });
    }
  };
  const later = () => {
    if (!due) requestAnimationFrame(now);
    due = true;
  };
  addEventListener("scroll", later, { passive: true });
  addEventListener("resize", later);
  now();
}

// printable opens everything on paper, which has no folds.
function printable(all) {
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all().filter((f) => !f.open);
    for (const f of opened) {
      f.fill();
      f.open = true;
    }
  });
  addEventListener("afterprint", () => { for (const f of opened) f.open = false; });
}
