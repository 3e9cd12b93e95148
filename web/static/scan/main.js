// A page for scanning: puts the parts together.
import { isAgain } from "./again.js";
import * as bags from "./bags.js";
import * as camera from "./camera.js";
import * as question from "./question.js";
import * as rows from "./rows.js";
import { send } from "./sending.js";
import { trouble } from "./shown.js";
import * as sound from "./sound.js";
import * as unsent from "./unsent.js";
import { fill, says } from "./words.js";

const SHOWN = 10;

function take(heard) {
  if (question.isAsking()) {
    question.hear(heard.raw);
    return;
  }
  // Another open page may have taken up the same.
  if (unsent.holds(heard.id) || isAgain(heard.raw, heard.at)) return;
  const { scan, kept } = unsent.add(heard);
  if (!kept) trouble(says.not_kept);
  rows.add(scan);
  send(heard.earlier ? null : scan);
}

let leaving = false;
addEventListener("beforeunload", (event) => {
  // Nothing would be lost, but a page that is closed sends nothing: the office would believe the packets scanned.
  if (unsent.count() && !leaving) event.preventDefault();
});
document.getElementById("sign-in").addEventListener("click", () => { leaving = true; });
addEventListener("online", () => send());
addEventListener("visibilitychange", () => { if (!document.hidden) send(); });

sound.start();
question.start();
bags.start();
camera.start(take);
const others = unsent.restore();
if (others) trouble(fill(says.others, { count: others }));
unsent.newest(SHOWN).forEach(rows.add);
globalThis.scanKeys.listen(take);
send();
