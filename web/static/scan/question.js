// One question at a time. Until it is answered, by a button or by the desk card, nothing is scanned.
import { sound } from "./sound.js";
import { says, settings } from "./words.js";

const dialog = document.getElementById("question");
const reminder = document.getElementById("answer-first");
let answered = null;

export const isAsking = () => document.querySelector("dialog[open]") !== null;

export function ask(text, yes) {
  answered = yes;
  document.getElementById("question-text").textContent = text;
  reminder.hidden = true;
  dialog.showModal();
  sound("question");
}

// A scan while a question is open: yes and no of the desk card answer it, everything else has to wait.
export function hear(raw) {
  const command = settings.commands[raw];
  if (dialog.open && command === "yes") {
    dialog.close("yes");
  } else if (dialog.open && command === "no") {
    dialog.close("no");
  } else {
    reminder.textContent = says.answer_first;
    reminder.hidden = false;
    sound("wrong_state");
  }
}

export function start() {
  document.getElementById("question-yes").addEventListener("click", () => dialog.close("yes"));
  document.getElementById("question-no").addEventListener("click", () => dialog.close("no"));
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "yes") answered();
    dialog.returnValue = "";
    document.getElementById("field").focus();
  });
}
