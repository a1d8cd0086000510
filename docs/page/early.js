// Sets what the first picture of the page depends on, so that nothing jumps when the answers come.
// The page is not painted before.

import { MOST } from "./question.js";

export function early() {
  const root = document.documentElement;
  const names = location.search.slice(1).split("&").find((pair) => pair.startsWith("t="))?.slice(2);
  root.dataset.tickers = Math.min(MOST, (names || "one").split(",").length);
}
