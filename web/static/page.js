// What every page has: small conveniences, none of them needed to do the work.
const language = document.documentElement.lang;

function once() {
  const buttons = (form) => [...form.elements].filter((field) => field.tagName === "BUTTON");
  // A second press while the first is on its way would do nothing new, but people worry.
  addEventListener("submit", (event) => {
    if ("once" in event.target.dataset) {
      setTimeout(() => buttons(event.target).forEach((button) => { button.disabled = true; }));
    }
  });
  // Coming back by the browser's own button shows the page as it was left.
  addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-once]").forEach((form) => {
      buttons(form).forEach((button) => { button.disabled = false; });
    });
  });
}

function marks() {
  document.querySelectorAll("input[data-all]").forEach((all) => {
    const boxes = [...all.form.querySelectorAll("input[type=checkbox][name]")];
    const button = all.form.querySelector("[data-marked]");
    const plain = button?.textContent;
    const count = () => {
      const marked = boxes.filter((box) => box.checked).length;
      all.checked = marked === boxes.length;
      all.indeterminate = marked > 0 && marked < boxes.length;
      if (button) button.textContent = marked ? button.dataset.marked.replace("{count}", marked) : plain;
    };
    all.addEventListener("change", () => {
      boxes.forEach((box) => { box.checked = all.checked; });
      count();
    });
    boxes.forEach((box) => box.addEventListener("change", count));
    addEventListener("pageshow", count);
    count();
  });
}

function soon() {
  // While a password is typed the line has nothing to do: the first page at work then finds everything here.
  const links = document.querySelector("template[data-soon]");
  if (!links) return;
  const ask = () => document.head.append(links.content);
  if (document.readyState === "complete") ask(); else addEventListener("load", ask);
}

function ways() {
  // On a phone the ways are one line that scrolls: the present one is in sight.
  document.querySelectorAll("nav [aria-current=page]").forEach((way) => {
    way.parentElement.scrollLeft = way.offsetLeft - way.parentElement.offsetLeft - 16;
  });
}

function printing() {
  document.querySelectorAll("[data-print]").forEach((button) => button.addEventListener("click", () => print()));
}

const WEIGHTS = [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]];

export function iinIsRight(text) {
  if (!/^[0-9]{12}$/.test(text) || text === "000000000000") return false;
  for (const weights of WEIGHTS) {
    const rest = weights.reduce((sum, weight, place) => sum + weight * Number(text[place]), 0) % 11;
    if (rest < 10) return rest === Number(text[11]);
  }
  return false;
}

function iin() {
  document.querySelectorAll("input[data-iin]").forEach((field) => {
    const said = document.getElementById(field.getAttribute("aria-describedby"));
    const check = () => {
      const digits = field.value.replace(/\s/g, "");
      const wrong = digits && !iinIsRight(digits) ? field.dataset.wrong : "";
      field.setCustomValidity(wrong);
      // While it is being typed it is not wrong yet.
      if (said) said.textContent = digits.length >= 12 || document.activeElement !== field ? wrong : "";
    };
    field.addEventListener("input", check);
    field.addEventListener("blur", check);
    check();
  });
}

function rows() {
  // Lines for documents come one after the other; without scripts all are there.
  document.querySelectorAll("[data-rows]").forEach((list) => {
    const lines = [...list.children];
    const show = () => {
      const used = lines.findLastIndex((line) => line.querySelector("input").value.trim() !== "");
      lines.forEach((line, place) => { line.hidden = place > Math.max(used + 1, 1); });
    };
    list.addEventListener("input", show);
    show();
  });
}

function places() {
  const field = document.querySelector("input[data-places]");
  const answer = document.querySelector("[data-department]");
  if (!field || !answer) return;
  let asked = 0;
  let timer = 0;
  const suggest = async (query) => {
    const found = await fetch(`/api/v1/residence?q=${encodeURIComponent(query)}`, {
      headers: { "Accept-Language": language },
    });
    if (!found.ok) return [];
    return (await found.json()).map((place) => {
      const option = document.createElement("option");
      option.value = place.label;
      return option;
    });
  };
  const department = async () => {
    const district = field.form.querySelector("[name=district]:checked, select[name=district]")?.value ?? "";
    const shown = await fetch(answer.dataset.department, {
      method: "POST",
      body: new URLSearchParams({ csrf: field.form.elements.csrf.value, residence: field.value, district }),
    });
    return shown.ok ? shown.text() : null;
  };
  const ask = async () => {
    const mine = ++asked;
    const query = field.value.trim().slice(0, 100);
    if (query.length < 2) {
      answer.replaceChildren();
      return;
    }
    try {
      const [options, part] = await Promise.all([suggest(query), department()]);
      if (mine !== asked) return;
      field.list.replaceChildren(...options);
      if (part === null) return;
      const inside = answer.contains(document.activeElement);
      answer.innerHTML = part; // Made by our own template, which escapes what was typed.
      if (inside) answer.querySelector("[name=district]:checked, select[name=district]")?.focus();
    } catch { /* Suggestions are a help; the server checks the place in any case. */ }
  };
  field.addEventListener("input", () => {
    answer.querySelectorAll("[name=district]").forEach((choice) => {
      if (choice.type === "radio") choice.checked = false; else choice.value = "";
    });
    clearTimeout(timer);
    timer = setTimeout(ask, 200);
  });
  answer.addEventListener("change", () => { clearTimeout(timer); ask(); });
  answer.addEventListener("click", (event) => {
    const place = event.target.closest("[data-place]")?.dataset.place;
    if (!place) return;
    field.value = place;
    field.focus();
    answer.replaceChildren();
    ask();
  });
  if (field.value && !answer.querySelector("[name=district]")) ask();
}

// A manifest that is being taken over grows while one looks: what differs is changed, what is being typed stays.
function live() {
  const place = document.querySelector("[data-live]");
  if (!place) return;
  const often = 1000;
  const seldom = 5000;
  let version = "";
  let leaving = false;
  // A form that is on its way brings the next page: a reload in between would lose what that page says.
  addEventListener("submit", (event) => { leaving = event.target.target !== "_blank"; });
  addEventListener("pageshow", () => { leaving = false; });
  const renew = (html) => {
    if (leaving) return;
    const now = place.querySelector("#live");
    const next = new DOMParser().parseFromString(html, "text/html").querySelector("#live");
    if (!next || next.dataset.state !== now.dataset.state) {
      location.reload(); // Another state has other buttons.
      return;
    }
    for (const part of next.querySelectorAll("[data-part]")) {
      now.querySelector(`[data-part=${part.dataset.part}]`)?.replaceChildren(...part.childNodes);
    }
    const body = now.querySelector("tbody");
    const rows = [...next.querySelectorAll("tbody > tr")];
    const same = new Map(rows.map((row) => [row.id, row.dataset.version]));
    if (!body) {
      now.replaceWith(next);
      return;
    }
    [...body.children].filter((row) => same.get(row.id) !== row.dataset.version).forEach((row) => row.remove());
    let here = body.firstElementChild;
    for (const row of rows) {
      if (here?.id === row.id) {
        here = here.nextElementSibling;
      } else {
        row.classList.add("fresh");
        body.insertBefore(document.adoptNode(row), here);
      }
    }
  };
  const ask = async () => {
    let pause = often;
    if (!document.hidden) {
      try {
        const answer = await fetch(place.dataset.live, { headers: version ? { "If-None-Match": version } : {} });
        if (answer.redirected) return; // The sign-in has run out; the next click says so.
        if (answer.ok) {
          version = answer.headers.get("etag") ?? "";
          renew(await answer.text());
        } else if (answer.status !== 304) {
          pause = seldom;
        }
      } catch { pause = seldom; }
    }
    setTimeout(ask, pause);
  };
  setTimeout(ask, often);
}

// Two tones, so that the bell is no sound of a scan. Browsers let a page sound only after somebody pressed a key on it.
const TONES = [880, 1175];
const SOUND = "shabarman.bell";

function chime() {
  let audio = null;
  const wake = () => {
    audio ??= "AudioContext" in window ? new AudioContext() : null;
    return audio?.resume();
  };
  const wanted = () => {
    try { return localStorage.getItem(SOUND) !== "off"; } catch { return true; }
  };
  const first = () => {
    if (navigator.userActivation && !navigator.userActivation.hasBeenActive) return; // Shift alone is no press.
    wake();
    ["pointerdown", "keydown"].forEach((kind) => removeEventListener(kind, first));
  };
  ["pointerdown", "keydown"].forEach((kind) => addEventListener(kind, first, { passive: true }));
  return {
    wanted,
    want(on) {
      try { localStorage.setItem(SOUND, on ? "on" : "off"); } catch { /* Then it is forgotten with the page. */ }
      wake();
    },
    async ring() {
      if (!wanted()) return false;
      // Where sound is blocked the promise never ends.
      await Promise.race([wake(), new Promise((done) => { setTimeout(done, 500); })]);
      if (audio?.state !== "running") return false;
      TONES.forEach((tone, place) => {
        const [source, loudness, begins] = [audio.createOscillator(), audio.createGain(), audio.currentTime + place * 0.22];
        source.frequency.value = tone;
        loudness.gain.setValueAtTime(0.25, begins);
        loudness.gain.exponentialRampToValueAtTime(0.001, begins + 0.5);
        source.connect(loudness).connect(audio.destination);
        source.start(begins);
        source.stop(begins + 0.5);
      });
      return true;
    },
  };
}

const RUNG = new Set(["result.ready", "packet.missing", "deadline.missed"]);

function bell() {
  const address = document.body.dataset.events;
  const shown = document.querySelector(".bell");
  if (!address || !shown || !("EventSource" in window)) return;
  const sound = chime();
  const line = shown.querySelector("p");
  const button = shown.querySelector("[data-sound]");
  const name = (rings) => { button.textContent = rings ? button.dataset.off : button.dataset.on; };
  let source = null;
  let heard = null;
  let hiding = 0;
  button.addEventListener("click", async () => {
    const on = button.textContent === button.dataset.on;
    sound.want(on);
    name(on && await sound.ring());
  });
  shown.querySelector("[data-hide]").addEventListener("click", () => { shown.hidden = true; });
  name(sound.wanted());
  const tell = async (event) => {
    const notice = JSON.parse(event.data);
    heard = event.lastEventId;
    const link = document.createElement("a");
    link.href = notice.address;
    link.textContent = notice.say;
    const title = document.createElement("b");
    title.textContent = `${shown.dataset.word}: `;
    line.replaceChildren(title, link);
    shown.hidden = false;
    shown.classList.toggle("urgent", RUNG.has(notice.type));
    clearTimeout(hiding);
    // What must be acted upon stays until somebody hides it; the rest stays on the first page.
    if (RUNG.has(notice.type)) {
      const rang = await sound.ring();
      shown.dataset.rung = String(rang);
      name(rang);
    } else {
      hiding = setTimeout(() => { shown.hidden = true; }, 20000);
    }
  };
  const listen = () => {
    if (source || document.hidden) return;
    source = new EventSource(heard === null ? address : `${address}?after=${heard}`);
    source.addEventListener("listening", (event) => { heard = event.lastEventId; });
    source.addEventListener("notice", tell);
  };
  const rest = () => {
    source?.close();
    source = null;
  };
  // A browser holds six connections to one server: pages in the background must not take them all.
  document.addEventListener("visibilitychange", () => { if (document.hidden) rest(); else listen(); });
  addEventListener("pagehide", rest);
  addEventListener("pageshow", listen);
  listen();
}

once();
soon();
ways();
marks();
printing();
iin();
rows();
places();
live();
bell();
