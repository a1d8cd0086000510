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

// decimals is how many decimals the bounds of an interval need: enough to show three digits of its
// width, but no more than the server sends.
export function decimals(lower, upper) {
  const price = Math.abs(upper) || 1;
  const least = price >= 10000 ? 0 : 2;
  const most = Math.min(20, 4 + Math.max(0, 1 - Math.floor(Math.log10(price))));
  return Math.min(most, Math.max(least, Math.ceil(2 - Math.log10(upper - lower))));
}

// showPrice shows a price with the given number of decimals, or with what a price of its size has.
export function showPrice(x, digits) {
  const [least, most] = digits === undefined ? [2, Math.abs(x) < 10 ? 4 : 2] : [digits, digits];
  if (digits === undefined && Math.abs(x) < 1) return x.toLocaleString("en-US", { maximumSignificantDigits: 5 });
  return x.toLocaleString("en-US", { minimumFractionDigits: least, maximumFractionDigits: most });
}

export const showShare = (x) => `${+(x * 100).toFixed(2)}\u00a0%`;

// showChange shows a ratio in percent, with two decimals where one would show nothing.
export function showChange(ratio) {
  const percent = Math.abs(ratio) * 100;
  const text = percent.toFixed(percent < 0.95 && percent >= 0.005 ? 2 : 1);
  return `${+text === 0 ? "±" : ratio < 0 ? "−" : "+"}${text}\u00a0%`;
}

export const showRange = (b, digits = decimals(b.lower, b.upper)) => `${showPrice(b.lower, digits)} – ${showPrice(b.upper, digits)}`;

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
