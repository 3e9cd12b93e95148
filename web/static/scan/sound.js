// One short tune per kind of answer, so that nobody has to look up from the packets; telephones also shake.
import { says } from "./words.js";

const LOW = 196;
const MIDDLE = 440;
const HIGH = 880;
const TUNES = { // pitch in Hz, seconds
  taken: [[HIGH, 0.09]],
  command: [[MIDDLE, 0.06], [HIGH, 0.06]],
  already: [[660, 0.09], [660, 0.09]],
  unexpected: [[MIDDLE, 0.1], [554, 0.1], [659, 0.18]],
  elsewhere: [[659, 0.1], [554, 0.1], [MIDDLE, 0.18]],
  wrong_state: [[LOW, 0.15], [MIDDLE, 0.15], [LOW, 0.2]],
  closed: [[330, 0.15], [262, 0.15], [LOW, 0.3]],
  unknown: [[LOW, 0.5]],
  bad_check: [[LOW, 0.2], [LOW, 0.3]],
  not_allowed: [[LOW, 0.15], [LOW, 0.15], [LOW, 0.3]],
  question: [[MIDDLE, 0.1], [659, 0.2]],
};
export const ERRORS = new Set(["unexpected", "elsewhere", "wrong_state", "closed", "unknown", "bad_check", "not_allowed"]);

const KEPT = "shabarman.sound";
const button = document.getElementById("sound");
let wanted = true;
try { wanted = localStorage.getItem(KEPT) !== "off"; } catch { /* Then it is on each time. */ }
const audio = "AudioContext" in window ? new AudioContext() : null;

export function sound(name) {
  if (ERRORS.has(name)) navigator.vibrate?.([120, 60, 120]);
  if (audio === null || !wanted || audio.state !== "running") return;
  let at = audio.currentTime;
  for (const [pitch, length] of TUNES[name]) {
    const tone = audio.createOscillator();
    const loud = audio.createGain();
    tone.frequency.value = pitch;
    loud.gain.setValueAtTime(0.2, at);
    loud.gain.exponentialRampToValueAtTime(0.001, at + length);
    tone.connect(loud).connect(audio.destination);
    tone.start(at);
    tone.stop(at + length);
    at += length + 0.04;
  }
}

function show() {
  const blocked = wanted && audio.state !== "running";
  button.textContent = blocked ? says.sound_blocked : wanted ? says.sound_off : says.sound_on;
  button.classList.toggle("primary", blocked);
  button.classList.toggle("quiet", !blocked);
}

// Browsers play nothing before the person has touched the page; a scanner's keys count as a touch.
function wake() {
  if (audio !== null && wanted && audio.state === "suspended") audio.resume();
}

export function start() {
  if (audio === null) {
    button.hidden = true;
    return;
  }
  audio.addEventListener("statechange", show);
  addEventListener("keydown", wake, { capture: true });
  addEventListener("pointerdown", wake, { capture: true });
  button.addEventListener("click", async () => {
    const blocked = wanted && audio.state !== "running";
    wanted = blocked || !wanted;
    try { localStorage.setItem(KEPT, wanted ? "on" : "off"); } catch { /* Then it is on each time. */ }
    if (wanted) await audio.resume();
    show();
    sound("taken");
    document.getElementById("field").focus();
  });
  show();
}
