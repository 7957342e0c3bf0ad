// A tiny browser client of the SuperTokens session protocol, small enough to read in one sitting.
// Applications use the official one (supertokens-website, supertokens-web-js); this one exists so
// that the demo shows every step of the protocol and needs nothing from a CDN.

const REFRESH = "/auth/session/refresh";
const SIGN_IN = ["/login", "/auth/signup", "/auth/signin"];
const MAX_ATTEMPTS = 10;
// Clocks differ a little everywhere. Below this we trust ours, as the official client does.
const TOLERATED_SKEW_MS = 7000;

// localStorage is shared by all tabs, which is what makes "one refresh per expiry" possible. (A tab of
// another process may see a write late; it then refreshes again, which the server takes in its stride.)
// In cookie mode the real tokens are HttpOnly cookies that no script can read: what is kept here
// is the front token, which is information and never a credential.
const KEYS = {
  front: "demo.front-token",
  updated: "demo.last-update",
  access: "demo.access-token", // header mode only
  refresh: "demo.refresh-token", // header mode only
  mode: "demo.auth-mode",
};
const read = (key) => localStorage.getItem(key);
const write = (key, value) => (value ? localStorage.setItem(key, value) : localStorage.removeItem(key));

const watchers = { change: [], exchange: [], ended: [] };
const notify = (kind, detail) => watchers[kind].forEach((watcher) => watcher(detail));

/** Calls `watcher()` whenever the session changes, in this tab or another one. */
export const onChange = (watcher) => watchers.change.push(watcher);
/** Calls `watcher({method, path, status, body, ms, note})` after each request. */
export const onExchange = (watcher) => watchers.exchange.push(watcher);

/** Calls `watcher(handle)` when the server refuses a session that this browser had. */
export const onEnded = (watcher) => watchers.ended.push(watcher);

addEventListener("storage", (event) => event.key?.startsWith("demo.") && notify("change"));

/** Whether the next session travels in cookies or in headers. A living session keeps its way. */
export const authMode = () => read(KEYS.mode) ?? "cookie";
export const setAuthMode = (mode) => write(KEYS.mode, mode);

// Sent with sign-ins, where the server asks for it: whether cookies outlive the browser.
let remembered = null;
export const setRemembered = (value) => (remembered = value);

/** The session as the front token tells it, or null. Times are milliseconds of this browser's clock. */
export function currentSession() {
  const token = decodeFrontToken(read(KEYS.front));
  if (!token) return null;
  // The token was stored the moment it arrived, so `iat` against that moment gives the server's clock.
  const skew = token.up.iat * 1000 - Number(read(KEYS.updated).split(" ")[0]);
  const offset = Math.abs(skew) < TOLERATED_SKEW_MS ? 0 : skew;
  return {
    userId: token.uid,
    payload: token.up,
    expiresAt: token.ate - offset,
    lifetime: token.ate - token.up.iat * 1000,
    mode: read(KEYS.access) ? "header" : "cookie",
  };
}

/** The refresh token, as a script of an attacker would read it; in cookie mode no script can. */
export const stealRefreshToken = () => read(KEYS.refresh);

/** Presents a refresh token as a thief elsewhere would: nothing of this browser goes along or is kept. */
export async function refreshAsThief(token) {
  const headers = { rid: "session", "st-auth-mode": "header", authorization: `Bearer ${token}` };
  const response = await fetch(REFRESH, { method: "POST", headers, credentials: "omit" });
  return { status: response.status, body: await response.json().catch(() => null) };
}

/** One request of the application: refreshes on 401 and tries again. Resolves to {status, body}. */
export async function call(method, path, body) {
  for (let attempt = 1; ; attempt++) {
    const seen = read(KEYS.updated);
    const answer = await send(method, path, { body, bearer: read(KEYS.refresh) && read(KEYS.access) });
    // First visit, or site data was cleared: HttpOnly cookies may have survived, and then the answer says so.
    if (existence() === "maybe" && answer.body?.message === "unauthorised") remember(null);
    if (answer.status !== 401 || existence() === "no" || attempt === MAX_ATTEMPTS) return answer;
    if (!(await refresh(seen))) return answer;
  }
}

/**
 * Gets new tokens, once, however many calls and tabs ask at the same time. `seen` is the state that
 * the failed request was sent with. Resolves to whether trying that request again makes sense.
 */
export function refresh(seen = read(KEYS.updated)) {
  return exclusively(async () => {
    if (existence() === "no") return false;
    if (read(KEYS.updated) !== seen) return true; // someone else refreshed while we waited
    const answer = await send("POST", REFRESH, { rid: "session", bearer: read(KEYS.refresh) });
    return answer.status < 300;
  });
}

/** Sign out: SDK route, nothing to send. */
export const signOut = () => call("POST", "/auth/signout");

// "maybe": never asked. "no": the server said that there is none. "yes": there is a front token.
const existence = () => (read(KEYS.front) ? "yes" : read(KEYS.updated) ? "no" : "maybe");

async function send(method, path, { body, bearer, rid = "anti-csrf" } = {}) {
  // Any `rid` header proves to the server that a script of an allowed origin sent this, not a form.
  const headers = { rid, "st-auth-mode": authMode() };
  if (remembered !== null) headers["x-remember-me"] = remembered ? "yes" : "no";
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const started = performance.now();
  const log = (status, note, content = null) =>
    notify("exchange", { method, path, status, note, body: content, ms: performance.now() - started });
  let response;
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body), credentials: "include" });
  } catch {
    log(0, "no answer: is the server running?");
    return { status: 0, body: null };
  }
  const content = await response.json().catch(() => null);
  const tokens = absorb(response, path);
  const refusal = content?.message ?? (content?.status === "OK" ? "" : content?.status);
  log(response.status, tokens ?? refusal ?? "", content);
  return { status: response.status, body: content };
}

// Stores what the response says about the tokens (errors say something too) and names it for the log.
function absorb(response, path) {
  // An empty value deletes; an absent header leaves things alone.
  for (const [header, key] of [["st-refresh-token", KEYS.refresh], ["st-access-token", KEYS.access]]) {
    if (response.headers.has(header)) write(key, response.headers.get(header));
  }
  let front = response.headers.get("front-token");
  if (!front && path === REFRESH && response.status === 401) front = "remove"; // a proxy dropped it
  if (!front) return null;
  const before = read(KEYS.front);
  remember(front === "remove" ? null : front);
  if (front === "remove" && before && response.status === 401) notify("ended", decodeFrontToken(before).up.sessionHandle);
  if (front === "remove") [KEYS.access, KEYS.refresh].forEach((key) => write(key, null));
  notify("change");
  if (front === "remove") return before ? "session ended, tokens cleared" : "there is no session";
  if (path === REFRESH) return "new access and refresh token";
  return SIGN_IN.includes(path) ? "session created" : "new access token: the payload changed";
}

function remember(front) {
  // First, so that no tab sees a token without its time. The random part tells two updates of one
  // millisecond apart.
  write(KEYS.updated, `${Date.now()} ${Math.random()}`);
  write(KEYS.front, front);
}

// navigator.locks works across tabs but only on https and localhost; elsewhere a queue in this tab.
let queue = Promise.resolve();
function exclusively(work) {
  if (navigator.locks) return navigator.locks.request("demo.refresh", work);
  return (queue = queue.then(work, work));
}

function decodeFrontToken(text) {
  if (!text) return null;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}
