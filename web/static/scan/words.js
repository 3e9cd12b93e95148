// What the server gave to this page, and how numbers are written.
export const page = document.getElementById("scan");
export const settings = JSON.parse(page.dataset.settings);
export const says = settings.says;
export const language = document.documentElement.lang;

export const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (place, name) => (name in facts ? facts[name] : place));

export function grouped(code) {
  if (code.length === 14) return `${code.slice(0, 4)} ${code.slice(4, 6)} ${code.slice(6, 12)} ${code.slice(12)}`;
  if (code.length === 16) return `${code.slice(0, 2)} ${grouped(code.slice(2))}`;
  return code;
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
