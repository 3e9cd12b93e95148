// Hears the keys of a scanner from the first moment of a page, and tells codes from typing.
//
// The one classic script, first in the head: modules run only when the page has been read, and by then a scanner has
// pressed its keys into nothing. What is read before anybody listens waits here, and in the browser's storage: where
// the modules never come, the next page of this person takes it up.
//
// A scanner is a keyboard of the US layout. `event.code` names the key whatever layout is chosen, so a Kazakh or
// Russian layout does no harm; where it is empty (keyboards of Android) the text of the field is taken, and the server
// maps it back.
"use strict";

globalThis.scanKeys = (() => {
  const PAUSE = 500; // ms of silence after which earlier keys no longer belong to the code
  const KEPT = 80; // two symbols of sixteen digits in one burst, with the prefixes that scanners can be told to send
  const LONG = 8; // digits that no person types by chance before Enter
  const DIGIT = /^(?:Digit|Numpad)([0-9])$/;
  const ENTERS = new Set(["Enter", "NumpadEnter"]);
  const MODIFIERS = new Set(["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "NumLock", "Dead"]);
  const LATE = 6000; // ms after which a page whose modules have not come says so
  const BUTTONS = new Set(["checkbox", "radio", "button", "submit", "reset"]);

  // Whose page it is stands at the script itself: the body may not be there yet.
  const { staff, station, manifest } = document.currentScript.dataset;
  const HEARD = `shabarman.heard.${staff}.`;

  let keys = []; // {digit, target, at}
  const waiting = earlier();
  let listener = null;

  const tell = (what) => {
    const heard = { ...what, id: newId(), time: new Date().toISOString() };
    if (listener) {
      listener(heard);
    } else {
      waiting.push(heard);
      keep(heard);
      warn();
    }
  };

  function newId() {
    // `randomUUID` exists only where the page came over https or from this machine.
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // --- what waits, in the browser's storage: one entry each, so that two open pages overwrite nothing ---

  let kept = true;
  function keep({ id, raw, device, time }) {
    if (staff === undefined) return; // The scanner test records nothing.
    const entry = { id, raw, device, time, order: waiting.length, station, manifest: manifest || null };
    try { localStorage.setItem(HEARD + id, JSON.stringify(entry)); } catch { kept = false; }
  }

  // What earlier pages heard, with the moment in the time of this page.
  function earlier() {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(HEARD))
        .map((key) => JSON.parse(localStorage.getItem(key)))
        .sort((one, other) => one.time.localeCompare(other.time) || one.order - other.order)
        .map((entry) => ({ ...entry, earlier: true, at: performance.now() - (Date.now() - Date.parse(entry.time)) }));
    } catch { return []; }
  }

  function forget({ id }) {
    try { localStorage.removeItem(HEARD + id); } catch { /* Nothing was kept there. */ }
  }

  // --- the modules ---

  // They are asked for when the page has been read: sooner they would share a slow line with what shows it.
  document.addEventListener("readystatechange", () => {
    const works = document.getElementById("works");
    if (works) document.head.append(works.content);
  }, { once: true });

  // --- modules that never come ---

  // A blocked file, a line that broke, a browser that is too old: a person must not scan forty packets into nothing.
  let late = false;
  function warn() {
    const notice = document.getElementById("not-working");
    if (notice === null) return;
    notice.hidden = !late || listener !== null;
    notice.querySelector(".unkept").hidden = kept;
    const held = notice.querySelector(".held");
    held.hidden = !waiting.length;
    // An IIN that was scanned by mistake is nobody's business who looks over the shoulder.
    held.querySelector("span").textContent = waiting.map(({ raw }) => (raw.length === 12 ? "••••••••••••" : raw)).join(", ");
  }
  setTimeout(() => {
    late = true;
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", warn);
    warn();
  }, LATE);

  // --- numbers ---

  // ISO/IEC 7064 MOD 97-10 digit by digit: sixteen digits are more than a JavaScript number holds exactly.
  const mod97 = (digits) => [...digits].reduce((rest, digit) => (rest * 10 + Number(digit)) % 97, 0);

  function isOurs(digits) {
    if (mod97(digits) !== 1) return false;
    if (digits.length === 16) return /^80[1-8]/.test(digits);
    if (digits.length === 14) return /^[1-8]/.test(digits);
    return digits.length === 10 && digits.startsWith("98");
  }

  // The numbers at the end of what was read, in the order in which they came: two labels under one beam arrive as one
  // run of digits. Twelve digits are somebody's IIN, and only when nothing else stands before them.
  function numbersIn(digits) {
    const found = [];
    let rest = digits;
    for (;;) {
      const length = [16, 14, 10].find((each) => rest.length >= each && isOurs(rest.slice(-each)));
      if (length === undefined) break;
      found.unshift(rest.slice(-length));
      rest = rest.slice(0, -length);
    }
    if (!found.length && digits.length === 12) return { found: [digits], rest: "" };
    return { found, rest };
  }

  // --- the focused field ---

  const field = () => document.getElementById("field");
  const isText = (element) => element instanceof HTMLTextAreaElement
    || (element instanceof HTMLInputElement && !BUTTONS.has(element.type));

  // What the scanner typed has run into the focused field: take exactly that out again.
  function unleak(taken) {
    const target = document.activeElement;
    if (target === null || !isText(target)) return;
    if (target === field()) {
      target.value = "";
      return;
    }
    const count = taken.filter((key) => key.target === target).length;
    const end = target.selectionStart;
    if (end !== null && count) target.setRangeText("", Math.max(0, end - count), end, "end");
  }

  function takeField() {
    const raw = field().value;
    field().value = "";
    if (raw.trim()) tell({ raw, device: "keyboard", at: performance.now() });
  }

  // --- keys ---

  function trailing() {
    let from = keys.length;
    while (from > 0 && keys[from - 1].digit !== null) from -= 1;
    return keys.slice(from);
  }

  function ended(event, tab) {
    const run = trailing();
    const digits = run.map((key) => key.digit).join("");
    keys = [];
    const take = () => {
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    const { found, rest } = numbersIn(digits);
    const hear = (raw) => tell({ raw, device: "scanner", at: event.timeStamp });
    if (found.length) {
      take();
      unleak(run.slice(rest.length));
      if (rest.length >= LONG) hear(rest);
      found.forEach(hear);
      return;
    }
    // Tab leaves the field as it always does, unless a scanner has just filled it with something misread.
    if (tab && digits.length < LONG) return;
    const focused = document.activeElement;
    if (focused !== null && focused === field()) {
      take();
      takeField();
    } else if (digits.length >= LONG && !(focused !== null && isText(focused))) {
      // A damaged label read while nothing is focused: the person hears of it all the same.
      take();
      hear(digits);
    } else if (focused instanceof HTMLButtonElement) {
      // A scanner's Enter must never press a button; the space bar does.
      event.preventDefault();
    }
  }

  document.addEventListener("keydown", (event) => {
    if (MODIFIERS.has(event.key)) return;
    const tab = event.code === "Tab" || event.key === "Tab";
    const ends = tab || ENTERS.has(event.code) || event.key === "Enter";
    if (event.repeat) {
      // A key that is held down is no scanner's.
      if (ends && !tab) event.preventDefault();
      return;
    }
    // The time of the key and not of this call: a page that is busy hears all keys of a scanner late and at once.
    const at = event.timeStamp;
    if (keys.length && at - keys[keys.length - 1].at > PAUSE) keys = [];
    if (event.ctrlKey || event.altKey || event.metaKey) {
      keys = [];
      return;
    }
    if (ends) {
      ended(event, tab);
      return;
    }
    const digit = DIGIT.exec(event.code)?.[1] ?? null;
    keys.push({ digit, target: event.target, at });
    if (keys.length > KEPT) keys.shift();
  }, { capture: true });

  // The "Go" of a telephone's keyboard sends the form without a key that could be told.
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "typed") return;
    event.preventDefault();
    takeField();
  }, { capture: true });

  // A page that is closed sends nothing. Where the modules do not come, loading it again is what the notice asks for.
  addEventListener("beforeunload", (event) => { if (waiting.length && !(late && kept)) event.preventDefault(); });

  return {
    isOurs,
    numbersIn,
    newId,
    // Give everything that was read, and from now on each code at once, to `hear({id, raw, device, at, time})`. What
    // earlier pages read has their `station` and `manifest` as well, and is marked as `earlier`.
    listen(hear) {
      listener = hear;
      waiting.splice(0).forEach((heard) => {
        hear(heard);
        forget(heard);
      });
      warn();
    },
  };
})();
