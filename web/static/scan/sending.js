// Sends what was scanned, in its order and again until the server has answered; the same id gets the same answer.
import * as commands from "./commands.js";
import * as rows from "./rows.js";
import { Refused, post } from "./server.js";
import { answerShown, countShown, quiet, trouble } from "./shown.js";
import * as unsent from "./unsent.js";
import { fill, says } from "./words.js";

const AT_ONCE = 50;
const RETRIES = [500, 1000, 2000, 4000, 8000, 15000]; // ms
const fresh = new Set(); // ids of this page: a command that an earlier page left is kept, not carried out
const hearers = [];

let sending = false;
let failures = 0;
let timer = 0;

// Call `hear(answer)` with every answer.
export const onAnswer = (hear) => hearers.push(hear);

export function send(scan = null) {
  if (scan !== null) fresh.add(scan.id);
  countShown(unsent.count());
  if (!sending) work();
}

async function work() {
  clearTimeout(timer);
  sending = true;
  try {
    while (unsent.count()) {
      const scans = unsent.first(AT_ONCE);
      const answers = await ask(scans);
      failures = 0;
      quiet();
      answers.forEach((answer, place) => settle(scans[place], answer));
    }
  } catch (error) {
    later(error);
  } finally {
    sending = false;
    countShown(unsent.count());
  }
  commands.follow();
}

async function ask(scans) {
  try {
    return await post("/api/v1/scans", scans.map(({ id, raw, station, at, device, manifest }) => (
      { id, raw, station, at, device, manifest })));
  } catch (error) {
    if (!(error instanceof Refused) || !error.final) throw error;
    // One of them cannot be recorded; one by one, so that it does not hold the others.
    if (scans.length > 1) return ask(scans.slice(0, 1));
    return [{ verdict: "unknown", say: fill(says.refused, { detail: error.message }), code: null, facts: {} }];
  }
}

function settle(scan, answer) {
  unsent.forget(scan);
  rows.settle(scan, answer);
  answerShown(scan, answer);
  if (answer.verdict === "command" && fresh.has(scan.id)) commands.obey(answer.facts.command);
  fresh.delete(scan.id);
  hearers.forEach((hear) => hear(answer));
}

function later(error) {
  if (!(error instanceof Refused)) trouble(says.offline);
  else if (error.code === "another_person") trouble(says.another_person, { withSignIn: true });
  else if (error.signedOut) trouble(says.signed_out, { withSignIn: true });
  else trouble(error.message || says.offline);
  timer = setTimeout(send, RETRIES[Math.min(failures, RETRIES.length - 1)]);
  failures += 1;
}
