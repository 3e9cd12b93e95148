// What the server gave to this page, and how numbers are written.
export const page = document.getElementById("scan");
export const settings = JSON.parse(page.dataset.settings);
export const says = settings.says;
export const language = document.documentElement.lang;

export const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (place, name) => (name in facts ? facts[name] : place));

// The spaces do not break: half a number at the end of a line is none.
export function grouped(code) {
  const cut = { 14: [0, 4, 6, 12], 16: [0, 2, 6, 8, 14] }[code.length] ?? [0];
  return cut.map((from, place) => code.slice(from, cut[place + 1])).join("\u00a0");
}

// An IIN that was scanned by mistake is nobody's business who looks over the shoulder.
export const shownCode = (raw) => (/^[0-9]{12}$/.test(raw) ? "••••••••••••" : grouped(raw));

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}
