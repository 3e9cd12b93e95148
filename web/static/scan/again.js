// The same code twice at once is a scanner that sends two suffixes, or one label read as bars and as QR: one scan.
const SAME = 1500; // ms
const heard = new Map();

export function isAgain(raw, at) {
  const last = heard.get(raw);
  heard.delete(raw);
  heard.set(raw, at);
  if (heard.size > 20) heard.delete(heard.keys().next().value);
  return last !== undefined && at - last < SAME;
}

// What was taken back may be scanned again at once.
export const mayComeAgain = (raw) => heard.delete(raw);
