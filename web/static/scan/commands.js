// What the codes of the desk card do on a page for scanning. They come back in the order of the scans, so that "undo"
// means the packet that was scanned before it.
import { ask } from "./question.js";
import { lastCode, lastTaken } from "./rows.js";
import { trouble } from "./shown.js";
import * as unsent from "./unsent.js";
import { fill, grouped, says } from "./words.js";

const manifest = document.getElementById("to-manifest");
let goTo = null;

const WORK = {
  undo() {
    const taken = lastTaken();
    if (taken === null) trouble(says.nothing_to_undo);
    else ask(fill(says.undo_question, { number: grouped(taken.code) }), taken.undo);
  },
  close_batch() {
    if (manifest.hidden) trouble(says.no_batch);
    else goTo = manifest.href;
  },
  print() {
    const code = lastCode();
    if (!manifest.hidden) goTo = `${manifest.href}/papers`;
    else if (code) goTo = `/${code.length === 16 ? "manifests" : "packets"}/${code}/papers`;
    else trouble(says.nothing_to_print);
  },
  yes() { trouble(says.nothing_asked); },
  no() { trouble(says.nothing_asked); },
};

export function obey(command) {
  WORK[command]?.();
}

// Go where a command led, as soon as nothing is left to send.
export function follow() {
  if (goTo === null || unsent.count()) return;
  location.assign(goTo);
  goTo = null;
}
