// Scans that the server has not answered yet, in their order; they outlive a reload and a closed window.
//
// One entry per scan in the browser's storage, written before anything else happens: two open pages never overwrite
// each other's, and the writing is done when the key event ends, which a database in the browser does not promise.
import { settings } from "./words.js";

const PREFIX = "shabarman.scan.";
const mine = `${PREFIX}${settings.staff}.`;
let queue = [];
let order = 0;

function newId() {
  // `randomUUID` exists only where the page came over https or from this machine.
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const count = () => queue.length;
export const first = (most) => queue.slice(0, most);
export const newest = (most) => queue.slice(-most);

// Keep a scan; `kept` of what is returned is false where the browser keeps nothing.
export function add({ raw, device }) {
  const id = newId();
  const scan = {
    id, raw, device, station: settings.station, manifest: settings.manifest || null,
    at: new Date().toISOString(), order: order++,
  };
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
      else if (key.startsWith(PREFIX)) others += 1;
    }
  } catch { /* Nothing can be kept here: `add` says so with the first scan. */ }
  queue.sort((one, other) => one.at.localeCompare(other.at) || one.order - other.order);
  order = Math.max(0, ...queue.map((scan) => scan.order)) + 1;
  return others;
}
