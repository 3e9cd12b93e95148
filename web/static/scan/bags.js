// The lists of bags beside the scanner of a courier: fetched again when something may have changed.
import { onAnswer } from "./sending.js";
import { part } from "./server.js";

const EVERY = 20000; // ms; what others do to the bags is not urgent

export function start() {
  const lists = document.getElementById("bags");
  if (lists === null) return;
  let asked = 0;
  const renew = async () => {
    if (document.hidden) return;
    const mine = ++asked;
    const html = await part(lists.dataset.address);
    // A code that is held under somebody's scanner must not vanish.
    if (html === null || mine !== asked || lists.querySelector("details[open]")) return;
    lists.innerHTML = html;
  };
  onAnswer(renew);
  addEventListener("online", renew);
  document.addEventListener("visibilitychange", renew);
  setInterval(renew, EVERY);
}
