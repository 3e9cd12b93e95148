// The last scans, the newest first, each with what became of it; what was taken can be taken back.
import { mayComeAgain } from "./again.js";
import { Refused, post } from "./server.js";
import { isError, quiet, trouble, unseen } from "./shown.js";
import { fill, grouped, icon, says, settings, shownCode } from "./words.js";

const SHOWN = 10;
const last = document.getElementById("last");
const rows = new Map(); // id → {row, scan, answer}

export function add(scan) {
  document.getElementById("none").hidden = true;
  const row = document.createElement("li");
  row.className = "waiting";
  const text = document.createElement("div");
  const number = document.createElement("span");
  number.className = "code";
  number.textContent = shownCode(scan.raw);
  const word = document.createElement("span");
  word.className = "word";
  word.textContent = says.waiting;
  const sentence = document.createElement("span");
  sentence.className = "say";
  text.append(number, word, sentence);
  row.append(icon("waiting"), text);
  last.prepend(row);
  rows.set(scan.id, { row, scan, answer: null });
  trim();
  return rows.get(scan.id);
}

// Ten are enough to look back on, but an error stays until the person has gone on after it.
function trim() {
  let spare = rows.size - SHOWN;
  for (const [id, { row, scan, answer }] of rows) {
    if (spare <= 0) return;
    if (answer !== null && isError(answer.verdict) && unseen(scan)) continue;
    row.remove();
    rows.delete(id);
    spare -= 1;
  }
}

export function settle(scan, answer) {
  const entry = rows.get(scan.id) ?? add(scan);
  entry.answer = answer;
  const { row } = entry;
  row.className = answer.verdict;
  row.querySelector(".icon").replaceWith(icon(answer.verdict));
  row.querySelector(".word").textContent = settings.verdicts[answer.verdict];
  row.querySelector(".say").textContent = isError(answer.verdict) ? answer.say : "";
  if (answer.code) row.querySelector(".code").textContent = grouped(answer.code);
  if (answer.verdict === "taken" && answer.code?.length === 14 && settings.station !== "look_up") {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = says.undo;
    button.setAttribute("aria-label", fill(says.undo_one, { number: grouped(answer.code) }));
    button.addEventListener("click", () => undo(answer.code, row, button));
    row.append(button);
  }
}

// Return what was taken last and can still be taken back: {code, undo()}.
export function lastTaken() {
  const button = last.querySelector("li.taken button");
  const entry = button && [...rows.values()].find(({ row }) => row.contains(button));
  return entry ? { code: entry.answer.code, undo: () => button.click() } : null;
}

// Return the number of the packet or manifest that was understood last.
export const lastCode = () => [...rows.values()].reverse().find(({ answer }) => answer?.code?.length >= 14)?.answer.code;

async function undo(code, row, button) {
  button.disabled = true;
  try {
    const card = await post(`/api/v1/packets/${code}/undo`, {});
    row.className = "undone";
    row.querySelector(".icon").replaceWith(icon("undone"));
    row.querySelector(".word").textContent = `${says.undone}: ${card.state_name}`;
    button.remove();
    mayComeAgain(code);
    quiet();
  } catch (error) {
    if (error instanceof Refused && !error.signedOut) {
      trouble(error.message);
      if (error.final) button.remove(); else button.disabled = false;
    } else {
      trouble(error.signedOut ? says.signed_out : says.offline, { withSignIn: error.signedOut });
      button.disabled = false;
    }
  }
  document.getElementById("field").focus();
}
