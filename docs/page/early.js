// Runs before the page is painted for the first time: it sets what the first picture depends on, so
// that nothing jumps when the rest of the page has come.

const root = document.documentElement;
try { root.dataset.theme = localStorage.getItem("theme") || "auto"; } catch { /* storage may be disabled */ }
const names = location.search.slice(1).split("&").find((pair) => pair.startsWith("t="))?.slice(2);
root.dataset.tickers = Math.min(4, (names || "one").split(",").length);
