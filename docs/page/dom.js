// Makes elements, without HTML from strings, and formats dates and numbers.

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

// prose turns a description of the document into paragraphs, which empty lines separate, with `code`.
export function prose(text) {
  return (text || "").split("\n\n").filter(Boolean).map((para) =>
    h("p", {}, para.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part))));
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

// Dates are YYYY-MM-DD without a time zone, so they are never converted to another one.
export const showMonth = (iso) => MONTHS[iso.slice(5, 7) - 1];
export const showDate = (iso) => `${+iso.slice(8)} ${showMonth(iso)} ${iso.slice(0, 4)}`;
export const showWeekday = (iso) => "Sun Mon Tue Wed Thu Fri Sat".split(" ")[new Date(iso).getUTCDay()];

// showPrice shows two decimals, or four significant digits for prices below one.
export function showPrice(x) {
  const digits = Math.abs(x) < 1 ? { maximumSignificantDigits: 4 } : { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  return x.toLocaleString("en-US", digits);
}

export const showShare = (x) => `${+(x * 100).toFixed(1)}\u00a0%`;
export const showChange = (ratio) => `${ratio < 0 ? "−" : "+"}${(Math.abs(ratio) * 100).toFixed(1)}\u00a0%`;

export const showRange = (b) => `${showPrice(b.lower)} – ${showPrice(b.upper)}`;

// copy puts text on the clipboard and says so in an element. A page on plain HTTP has no clipboard API
// except on localhost, but it may copy a selection.
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
