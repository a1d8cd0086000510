// Elements from plain calls, and the few formats that the page shows. Nothing here makes HTML from strings.

const SVG = "http://www.w3.org/2000/svg";

function build(el, props, kids) {
  for (const [key, value] of Object.entries(props || {})) {
    if (value === undefined || value === false) continue;
    if (key.startsWith("on")) el.addEventListener(key.slice(2), value);
    else el.setAttribute(key, value === true ? "" : value);
  }
  el.append(...kids.flat(Infinity).filter((k) => k !== null && k !== undefined && k !== false));
  return el;
}

export const h = (tag, props, ...kids) => build(document.createElement(tag), props, kids);
export const svg = (tag, props, ...kids) => build(document.createElementNS(SVG, tag), props, kids);
export const $ = (id) => document.getElementById(id);

// prose turns the document's descriptions into elements: paragraphs apart by an empty line, `code` within.
export function prose(text) {
  return (text || "").split("\n\n").filter(Boolean).map((para) =>
    h("p", {}, para.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part))));
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

// Dates come as YYYY-MM-DD and have no time zone: none may move them.
export const showMonth = (iso) => MONTHS[iso.slice(5, 7) - 1];
export const showDate = (iso) => `${+iso.slice(8)} ${showMonth(iso)} ${iso.slice(0, 4)}`;
export const showWeekday = (iso) => "Sun Mon Tue Wed Thu Fri Sat".split(" ")[new Date(iso).getUTCDay()];

// showPrice keeps two decimals, and four significant digits for what costs less than one.
export function showPrice(x) {
  const digits = Math.abs(x) < 1 ? { maximumSignificantDigits: 4 } : { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  return x.toLocaleString("en-US", digits);
}

export const showShare = (x) => `${+(x * 100).toFixed(1)}\u00a0%`;
export const showChange = (ratio) => `${ratio < 0 ? "−" : "+"}${(Math.abs(ratio) * 100).toFixed(1)}\u00a0%`;

export const showRange = (b) => `${showPrice(b.lower)} – ${showPrice(b.upper)}`;

// copy puts text on the clipboard and says so in an element. Away from localhost a page on plain HTTP has no clipboard
// of its own, but may still copy what is selected.
export async function copy(text, said) {
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else {
      const area = h("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      if (!done) throw new Error("the browser refused");
    }
    said.textContent = "Copied.";
  } catch (err) {
    said.textContent = `Not copied: ${err.message}.`;
  }
  setTimeout(() => { said.textContent = ""; }, 4000);
}
