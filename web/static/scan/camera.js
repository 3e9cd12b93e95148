// The camera of a telephone as a scanner: one label under the line, read twice, is one scan.
import { trouble } from "./shown.js";
import { says, settings } from "./words.js";

const FRAMES = 2; // in a row that must show the same code: a single frame is sometimes misread
const ABSENT = 1500; // ms without a code before the same label is a new scan
const CHOSEN = "shabarman.camera";
const WHY = {
  NotAllowedError: "camera_forbidden", SecurityError: "camera_forbidden",
  NotFoundError: "camera_missing", OverconstrainedError: "camera_missing",
};

const panel = document.getElementById("camera");
const button = document.getElementById("camera-button");
const video = panel.querySelector("video");
let stream = null;

// Return a function that is given the codes of each frame and the time, and returns what was scanned, or null.
function gaze() {
  const locked = new Map(); // code → when it was seen last
  let seen = null;
  let times = 0;
  return (codes, now) => {
    for (const [code, last] of locked) {
      if (codes.includes(code)) locked.set(code, now);
      else if (now - last > ABSENT) locked.delete(code);
    }
    const [code] = codes;
    times = code === seen ? times + 1 : 1;
    seen = code;
    // Bars and QR that disagree, or two labels: nobody knows which was meant.
    if (codes.length !== 1 || times < FRAMES || locked.has(code)) return null;
    locked.set(code, now);
    return code;
  };
}

async function reader() {
  const { BarcodeDetector, prepareZXingModule } = await import(settings.camera.script);
  prepareZXingModule({ overrides: { locateFile: () => settings.camera.wasm } });
  return new BarcodeDetector({ formats: ["code_128", "qr_code"] });
}

const frame = () => new Promise((resolve) => {
  if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(resolve); else requestAnimationFrame(resolve);
});

async function watch(mine, take) {
  const detector = await reader();
  const look = gaze();
  while (stream === mine) {
    await frame();
    if (stream !== mine || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) continue;
    const found = await detector.detect(video);
    const codes = [...new Set(found.map(({ rawValue }) => rawValue).filter(globalThis.scanKeys.isOurs))];
    panel.classList.toggle("seen", codes.length === 1);
    document.getElementById("camera-hint").textContent = codes.length > 1 ? says.camera_two : says.camera_hint;
    const raw = look(codes, performance.now());
    if (raw !== null) take({ raw, device: "camera", at: performance.now() });
  }
}

async function open(take) {
  button.disabled = true;
  try {
    if (!navigator.mediaDevices) throw new DOMException("", "SecurityError");
    const mine = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } },
    });
    stream = mine;
    video.srcObject = mine;
    panel.hidden = false;
    button.textContent = says.camera_off;
    await video.play();
    watch(mine, take).catch(() => close(says.camera_failed));
  } catch (error) {
    close(says[WHY[error.name] ?? "camera_failed"]);
  } finally {
    button.disabled = false;
  }
}

function close(why = null) {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  video.srcObject = null;
  panel.hidden = true;
  button.textContent = says.camera_on;
  if (why !== null) trouble(why);
}

const remember = (chosen) => { try { sessionStorage.setItem(CHOSEN, chosen); } catch { /* Then it is asked again. */ } };
const remembered = () => { try { return sessionStorage.getItem(CHOSEN) === "on"; } catch { return false; } };

export function start(take) {
  if (settings.camera === null) return;
  button.hidden = false;
  button.textContent = says.camera_on;
  button.addEventListener("click", () => {
    remember(stream ? "off" : "on");
    if (stream) close(); else open(take);
  });
  // A camera behind a hidden page would only use up the battery.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && stream) close();
    else if (!document.hidden && !stream && remembered()) open(take);
  });
  if (remembered()) open(take);
}
