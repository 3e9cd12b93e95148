// The scanner test: listens to every key, tells what the scanner is set to, and asks the server what it would make of
// the text alone. Nothing is recorded.
const settings = JSON.parse(document.getElementById("scanner").dataset.settings);
const says = settings.says;
const SILENCE = 700; // ms after which a scanner that sends no suffix has ended
const SLOW = 500; // ms; longer pauses between two keys end a code on the pages for scanning
const SUFFIXES = { Enter: "enter", NumpadEnter: "numpad_enter", Tab: "tab" };
const LAYOUTS = { // what the keys 1 2 … 9 0 of a US keyboard type
  digits: "1234567890", kk: "\"әіңғ,.үұқ", kk_caps: "\"ӘІҢҒ,.ҮҰҚ", kk_latin: "\"áíńǵ,.úýó",
};
const ROW = "1234567890";
const IGNORED = new Set(["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "NumLock"]);

const put = (id, text) => { document.getElementById(id).textContent = text; };
const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (place, name) => facts[name]);
const digitOf = (key) => /^(?:Digit|Numpad)([0-9])$/.exec(key.code)?.[1] ?? "";

let keys = [];
let timer = 0;

function layoutOf(burst) {
  const row = burst.filter((key) => key.code.startsWith("Digit"));
  if (!row.length) return burst.some((key) => digitOf(key)) ? "digits" : "no_keys";
  const fits = ([, typed]) => row.every((key) => typed[ROW.indexOf(digitOf(key))] === key.key);
  return Object.entries(LAYOUTS).find(fits)?.[0] ?? "other";
}

function speedOf(burst) {
  const gaps = burst.slice(1).map((key, place) => key.at - burst[place].at);
  if (!gaps.length) return "–";
  const slowest = Math.round(Math.max(...gaps));
  const each = Math.round(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length);
  const told = fill(says.speed, { each, slowest });
  return slowest > SLOW ? `${told}; ${says.slow}` : told;
}

async function reading(raw) {
  try {
    const answer = await fetch("/api/v1/readings", {
      method: "POST",
      headers: {
        "Content-Type": "application/json", "X-CSRF-Token": settings.csrf,
        "Accept-Language": document.documentElement.lang,
      },
      body: JSON.stringify({ raw }),
    });
    return answer.ok ? await answer.json() : null;
  } catch { return null; }
}

function chip(key) {
  const item = document.createElement("li");
  const code = document.createElement("small");
  code.textContent = key.code || "–";
  item.append(key.key, code);
  return item;
}

async function show(burst, suffix, text) {
  const { found } = globalThis.scanKeys.numbersIn(burst.map(digitOf).join(""));
  const [ofText, ofCode] = await Promise.all([reading(text), found.length ? reading(found.at(-1)) : null]);
  const known = ofCode ?? ofText;
  document.getElementById("none").hidden = true;
  document.getElementById("facts").hidden = false;
  document.getElementById("pressed").hidden = false;
  document.getElementById("keys").replaceChildren(...burst.map(chip));
  put("read", known?.code ?? "–");
  put("text", text);
  put("layout", says[layoutOf(burst)]);
  put("suffix", says[SUFFIXES[suffix] ?? "no_suffix"]);
  put("speed", speedOf(burst));
  put("here", found.length ? says.by_keys : says.as_typed);
  put("there", ofText === null ? says.offline : ofText.repaired);
  put("what", known === null ? says.offline : known.say);
  const good = known?.code != null && suffix in SUFFIXES;
  const summary = document.getElementById("summary");
  summary.hidden = false;
  summary.className = `stage chip ${good ? "good" : "bad"}`;
  summary.textContent = good ? says.good : says.bad;
}

function end(suffix) {
  clearTimeout(timer);
  const burst = keys;
  keys = [];
  const field = document.getElementById("field");
  // A keyboard of a telephone names no keys: then the field alone knows what was typed.
  const text = burst.every((key) => key.key.length === 1) && burst.length
    ? burst.map((key) => key.key).join("") : field.value;
  field.value = "";
  if (text.trim()) show(burst, suffix, text);
}

// On the window, before scan-keys.js takes the suffix away.
addEventListener("keydown", (event) => {
  if (IGNORED.has(event.key) || event.ctrlKey || event.altKey || event.metaKey) return;
  const suffix = event.code || event.key;
  if (suffix in SUFFIXES) {
    if (keys.length) event.preventDefault();
    end(suffix);
    return;
  }
  keys.push({ code: event.code, key: event.key, at: event.timeStamp });
  clearTimeout(timer);
  timer = setTimeout(end, SILENCE, "");
}, { capture: true });
