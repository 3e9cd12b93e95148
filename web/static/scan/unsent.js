// Scans that the server has not answered yet, in their order; they outlive a reload and a closed window.
//
// One entry per scan in the browser's storage, written before anything else happens: two open pages never overwrite
// each other's, and the writing is done when the key event ends, which a database in the browser does not promise.
import { settings } from "./words.js";

const mine = `shabarman.scan.${settings.staff}.`;
const WAITING = /^shabarman\.(?:scan|heard)\.([0-9]+)\./; // sent by a page, or not yet taken up by any
let queue = [];
let order = 0;

export const holds = (id) => queue.some((scan) => scan.id === id);
export const count = () => queue.length;
export const first = (most) => queue.slice(0, most);
export const newest = (most) => queue.slice(-most);

// Keep a scan; `kept` of what is returned is false where the browser keeps nothing.
export function add({
  raw, device, id = globalThis.scanKeys.newId(), time = new Date().toISOString(),
  station = settings.station, manifest = settings.manifest || null,
}) {
  const scan = { id, raw, device, station, manifest, at: time, order: order++ };
  queue.push(scan);
  try {
    localStorage.setItem(mine + id, JSON.stringify(scan));
    return { scan, kept: true };
  } catch {
    return { scan, kept: false };
  }
}

export function forget(scan) {
  queue = queue.filter((other) => other.id !== scan.id);
  try { localStorage.removeItem(mine + scan.id); } catch { /* Nothing was kept there. */ }
}

// Take up what an earlier page left; returns how many scans of other people are kept here.
export function restore() {
  let others = 0;
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(mine)) queue.push(JSON.parse(localStorage.getItem(key)));
      else if ((WAITING.exec(key)?.[1] ?? `${settings.staff}`) !== `${settings.staff}`) others += 1;
    }
  } catch { /* Nothing can be kept here: `add` says so with the first scan. */ }
  queue.sort((one, other) => one.at.localeCompare(other.at) || one.order - other.order);
  order = Math.max(0, ...queue.map((scan) => scan.order)) + 1;
  return others;
}
