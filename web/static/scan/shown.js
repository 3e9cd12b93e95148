// What the person sees of an answer: the banner, how far the manifest is, and what is in the way.
import { ERRORS, sound } from "./sound.js";
import { fill, grouped, icon, page, says, settings } from "./words.js";

const banner = document.getElementById("banner");
const more = document.getElementById("more");
const unsent = document.getElementById("unsent");
const troubleText = document.getElementById("trouble");
const signIn = document.getElementById("sign-in");
const WITH_MANIFEST = new Set(["receive", "collect", "result"]);

export const isError = (verdict) => ERRORS.has(verdict);

// An error stays until something is scanned after it was seen: forty answers that arrive at once must not hide the one
// that a person has to act upon.
let error = null; // {since, count}
export const unseen = (scan) => error !== null && scan.at < error.since;

export function answerShown(scan, answer) {
  sound(answer.verdict);
  progress(answer.facts);
  const earlier = unseen(scan);
  if (earlier && !isError(answer.verdict)) return;
  if (isError(answer.verdict)) {
    error = { since: new Date().toISOString(), count: earlier ? error.count + 1 : 1 };
  } else {
    error = null;
  }
  banner.className = `banner ${answer.verdict}`;
  banner.querySelector(".icon").replaceWith(icon(answer.verdict));
  document.getElementById("verdict").textContent = settings.verdicts[answer.verdict];
  document.getElementById("sentence").textContent = answer.say;
  more.hidden = error === null || error.count < 2;
  more.textContent = more.hidden ? "" : fill(says.more, { count: error.count - 1 });
}

function progress({ manifest, settled, lines, listed }) {
  if (manifest && WITH_MANIFEST.has(settings.station)) {
    const link = document.getElementById("to-manifest");
    link.href = `/manifests/${manifest}`;
    link.textContent = fill(says.to_manifest, { manifest: grouped(manifest) });
    link.hidden = false;
    if (settings.station === "receive") settings.manifest = manifest;
  }
  if (!lines) return;
  const done = settled ?? lines - listed;
  const shown = document.getElementById("progress");
  shown.querySelector("progress").max = lines;
  shown.querySelector("progress").value = done;
  shown.querySelector("span").textContent = fill(says.progress, { settled: done, lines });
  shown.hidden = false;
}

export function trouble(text, { withSignIn = false } = {}) {
  // Said again it would be read out again, with every try.
  if (troubleText.textContent !== text) troubleText.textContent = text;
  troubleText.hidden = false;
  signIn.hidden = !withSignIn;
}

export function quiet() {
  troubleText.hidden = true;
  signIn.hidden = true;
}

export function countShown(count) {
  unsent.textContent = count ? fill(says.unsent, { count }) : says.all_sent;
  unsent.classList.toggle("waiting", count > 0);
  page.dataset.unsent = count;
}
