// Requests of this page, in the name of the person whose page it is and of nobody else.
import { language, settings } from "./words.js";

const TIMEOUT = 20000;
let token = settings.csrf;

// The server answered, but not with what was asked for.
export class Refused extends Error {
  constructor(status, { code = "", detail = "" }) {
    super(detail);
    this.status = status;
    this.code = code;
  }

  // The sign-in has run out, or somebody else has signed in at this browser.
  get signedOut() { return this.status === 401; }

  // What was sent can never be accepted; every other refusal is about the person, the sign-in or the server, and ends.
  get final() { return [400, 409, 413, 422].includes(this.status); }
}

function ask(address, more = {}) {
  return fetch(address, {
    ...more,
    headers: { "Accept-Language": language, ...more.headers },
    signal: AbortSignal.timeout ? AbortSignal.timeout(TIMEOUT) : undefined,
  });
}

const problemOf = async (answer) => new Refused(answer.status, await answer.json().catch(() => ({})));

// Return the JSON of the answer; throws Refused, or the browser's own error where there is no connection.
export async function post(address, body, renewed = false) {
  const answer = await ask(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": token },
    body: JSON.stringify(body),
  });
  if (answer.ok) return answer.json();
  const problem = await problemOf(answer);
  // Signed in again in another window: this page's token is of the earlier sign-in.
  if (problem.code !== "forged_request" || renewed) throw problem;
  await renew();
  return post(address, body, true);
}

async function renew() {
  const answer = await ask("/api/v1/me");
  if (!answer.ok) throw await problemOf(answer);
  const me = await answer.json();
  if (me.login !== settings.login) throw new Refused(401, { code: "another_person" });
  token = me.csrf;
}

// Return the text of a part of a page, or null when it cannot be had now.
export async function part(address) {
  try {
    const answer = await ask(address);
    return answer.ok ? await answer.text() : null;
  } catch { return null; }
}
