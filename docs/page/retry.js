// Asks again after a failure that may pass, with pauses that grow.

import { h } from "./dom.js";

const LONGEST = 30; // seconds between two attempts

// retrier fills el with a countdown and a button.
export function retrier(el) {
  let timer;
  let tries = 0;
  const said = h("span", {});
  const button = h("button", { type: "button" }, "Try now");
  let again;
  el.append(said, button);
  button.addEventListener("click", () => go());

  function go() {
    stop();
    again();
  }

  function stop() {
    clearInterval(timer);
    el.hidden = true;
  }

  // later calls next after the given seconds, or after 1, 2, 4, ... of them.
  function later(wait, next) {
    stop();
    again = next;
    let left = Math.max(1, Math.ceil(wait || Math.min(LONGEST, 2 ** tries++)));
    const show = () => { said.textContent = `Trying again in ${left} s. `; };
    show();
    el.hidden = false;
    timer = setInterval(() => {
      if (--left > 0) show();
      else go();
    }, 1000);
  }

  return { later, stop, reset() { tries = 0; stop(); } };
}
