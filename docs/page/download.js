// Saves the chart as SVG and PNG. The styles of the page are written into the drawing, so that it
// looks the same elsewhere.

import { svg } from "./dom.js";

const STYLES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "font-size", "font-weight", "opacity"];
const PLAIN = { fill: "rgb(0, 0, 0)", "fill-opacity": "1", stroke: "none", "stroke-dasharray": "none", "stroke-linejoin": "miter", opacity: "1" };
const TITLE = 34; // pixels above the chart

// save hands a blob to the reader as a file.
export function save(name, blob) {
  const url = URL.createObjectURL(blob);
  const a = document.createElement("a");
  Object.assign(a, { href: url, download: name });
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

// saveSVG and savePNG save a drawing with a title above and a background. place is where on the page
// it is styled.
export function saveSVG(name, drawing, title, place) {
  const el = styled(drawing, title, place);
  save(`${name}.svg`, new Blob([new XMLSerializer().serializeToString(el)], { type: "image/svg+xml" }));
}

export async function savePNG(name, drawing, title, place) {
  const el = styled(drawing, title, place);
  const scale = 2;
  const canvas = document.createElement("canvas");
  canvas.width = el.getAttribute("width") * scale;
  canvas.height = el.getAttribute("height") * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  paint(pen, el);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  save(`${name}.png`, blob);
}

// styled returns the drawing with computed styles as attributes.
function styled(drawing, title, place) {
  const [width, height] = ["width", "height"].map((k) => +drawing.getAttribute(k));
  const paper = getComputedStyle(document.body);
  const out = svg("svg", {
    width, height: height + TITLE, viewBox: `0 0 ${width} ${height + TITLE}`, "font-family": paper.fontFamily,
  }, svg("rect", { width, height: height + TITLE, fill: paper.backgroundColor }),
  svg("text", { x: 12, y: 22, fill: paper.color, "font-size": "14px", "font-weight": "600" }, title));
  place.append(drawing); // styles are computed only for what is on the page
  const copy = (from) => {
    const style = getComputedStyle(from);
    const to = from.cloneNode(false);
    to.removeAttribute("class");
    if (from.tagName !== "g") {
      for (const name of STYLES) {
        const value = style.getPropertyValue(name);
        if (value !== PLAIN[name]) to.setAttribute(name, value);
      }
    }
    if (from.tagName === "text") to.textContent = from.textContent;
    else to.append(...[...from.children].map(copy));
    return to;
  };
  const body = svg("g", { transform: `translate(0 ${TITLE})` }, [...drawing.children].map(copy));
  drawing.remove();
  out.append(body);
  return out;
}

// paint draws the elements that a chart has. A canvas does not load an SVG under the policy of the
// page, which lets pictures come only from the server.
function paint(pen, el) {
  const get = (name) => el.getAttribute(name);
  const num = (name) => parseFloat(get(name)) || 0;
  pen.save();
  if (get("transform")) pen.translate(0, TITLE);
  if (get("opacity")) pen.globalAlpha *= num("opacity");
  const shape = new Path2D(el.tagName === "path" ? get("d") : undefined);
  if (el.tagName === "line") {
    shape.moveTo(num("x1"), num("y1"));
    shape.lineTo(num("x2"), num("y2"));
  } else if (el.tagName === "circle") shape.arc(num("cx"), num("cy"), num("r"), 0, 2 * Math.PI);
  else if (el.tagName === "rect") shape.rect(num("x"), num("y"), num("width"), num("height"));
  const fill = get("fill") || "rgb(0, 0, 0)";
  if (el.tagName === "text") {
    pen.font = `${get("font-weight")} ${get("font-size")} ${getComputedStyle(document.body).fontFamily}`;
    pen.textAlign = { middle: "center", end: "right" }[get("text-anchor")] || "left";
    pen.fillStyle = fill;
    pen.fillText(el.textContent, num("x"), num("y"));
  } else if (!["g", "svg"].includes(el.tagName)) {
    if (fill !== "none" && el.tagName !== "line") {
      const alpha = pen.globalAlpha;
      pen.globalAlpha = alpha * (get("fill-opacity") === null ? 1 : num("fill-opacity"));
      pen.fillStyle = fill;
      pen.fill(shape);
      pen.globalAlpha = alpha;
    }
    if (get("stroke")) {
      pen.strokeStyle = get("stroke");
      pen.lineWidth = num("stroke-width") || 1;
      pen.setLineDash(get("stroke-dasharray") ? get("stroke-dasharray").split(/[, ]+/).map(parseFloat) : []);
      pen.lineJoin = "round";
      pen.stroke(shape);
    }
  }
  for (const kid of el.children) paint(pen, kid);
  pen.restore();
}
