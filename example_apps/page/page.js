// What you see: buttons, the live session and the log. The protocol itself lives in client.js.

import { nameOf, onAccount, setUpForm } from "./account.js";
import { setUpDevices } from "./devices.js";
import { setUpVerification, showVerification } from "./verification.js";
import {
  authMode, call, currentSession, onChange, onExchange, refresh, refreshAsThief, setAuthMode, signOut,
  stealRefreshToken,
} from "./client.js";

const LOG_LENGTH = 50;
// Claims the SDK owns; everything else in the payload was put there by the application.
const SDK_CLAIMS = new Map([
  ["sub", "the user"], ["iat", "made at"], ["exp", "expires at"], ["iss", "who made it"], ["tId", "the tenant"],
  ["rsub", "the user, as the log-in knows it"], ["sessionHandle", "the session’s name in the database"],
  ["refreshTokenHash1", "fingerprint of the refresh token that goes with it"],
  ["parentRefreshTokenHash1", "and of the one before"], ["antiCsrfToken", "proof against forged requests"],
  ["st-ev", "whether the e-mail address is verified"],
]);

const $ = (id) => document.getElementById(id);

/** Makes an element; strings become text, never markup, so that no user name can be a script. */
function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

// -- the session card ---------------------------------------------------------------------------

let shown = {}; // the payload on screen, to point out what changed

function render() {
  const session = currentSession();
  const state = $("state");
  state.dataset.on = Boolean(session);
  setText(state, session ? `Signed in as ${nameOf(session.userId)}` : "Not signed in");

  showVerification(session, nameOf);
  const payload = session?.payload ?? {};
  const names = Object.keys(payload);
  const rank = (name) => Number(SDK_CLAIMS.has(name)); // the application's own claims first
  names.sort((a, b) => rank(a) - rank(b));
  $("payload").replaceChildren(...names.map((name) => claimRow(name, payload[name])));
  $("payload-empty").hidden = names.length > 0;
  shown = payload;
  tick();
}

function claimRow(name, value) {
  const text = JSON.stringify(value);
  const term = element("dt", "", element("code", "", name));
  if (!SDK_CLAIMS.has(name)) term.append(element("span", "tag", "yours"));
  const detail = element("dd", "", element("code", "", text));
  if (name === "iat" || name === "exp") detail.append(element("span", "hint", clock(value * 1000)));
  if (SDK_CLAIMS.has(name)) detail.append(element("span", "meaning", SDK_CLAIMS.get(name)));
  const isNews = "sub" in shown && JSON.stringify(shown[name]) !== text;
  return element("div", isNews ? "claim changed" : "claim", term, detail);
}

function tick() {
  const session = currentSession();
  const left = session ? Math.max(0, session.expiresAt - Date.now()) : 0;
  $("life").value = session ? left / session.lifetime : 0;
  $("life").classList.toggle("low", left < 10_000);
  $("countdown").textContent = session ? (left ? duration(left) : "expired") : "–";
  setText($("life-hint"), lifeHint(session, left));
}

function lifeHint(session, left) {
  if (!session) return "Log in to get one.";
  if (!left) return "The next request gets 401, refreshes by itself and tries again.";
  return `This session travels in ${session.mode === "header" ? "headers" : "HttpOnly cookies"}.`;
}

// Writing the same text again would make a screen reader repeat it.
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// -- requests -----------------------------------------------------------------------------------

async function run(button, work) {
  // aria-disabled keeps the keyboard focus where it is; `disabled` would throw it away.
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  try {
    await work();
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

function showAnswer({ status, body }) {
  $("answer").textContent = status ? `${status} ${JSON.stringify(body, null, 2)}` : "no answer";
}

for (const button of document.querySelectorAll("[data-call]")) {
  const [method, path] = button.dataset.call.split(" ");
  button.addEventListener("click", () => run(button, () => call(method, path)));
}
$("refresh").addEventListener("click", (event) => run(event.currentTarget, async () => {
  // Where the server was not even asked, say why.
  if (!(await refresh()) && !currentSession()) $("answer").textContent = "There is no session to refresh.";
}));
$("signout").addEventListener("click", (event) => run(event.currentTarget, signOut));

for (const choice of document.querySelectorAll("[name=mode]")) {
  choice.checked = choice.value === authMode();
  choice.addEventListener("change", () => setAuthMode(choice.value));
}

// -- theft --------------------------------------------------------------------------------------

const FORGIVEN_S = 60; // longer than any sensible grace period

$("theft").addEventListener("click", (event) => run(event.currentTarget, async () => {
  $("theft-steps").replaceChildren();
  const step = (text) => $("theft-steps").append(element("li", "", text));
  if (!currentSession()) return step("Log in first, with tokens in headers.");
  const stolen = stealRefreshToken();
  if (!stolen) return step("No script can read the token: it is in an HttpOnly cookie. Log in with headers to see a theft.");
  step("A script of the thief has read the refresh token.");
  await refresh();
  step("You refreshed: the stolen token is the previous one now, and is forgiven for some seconds.");
  for (let second = 0; second < FORGIVEN_S; second++) {
    await new Promise((done) => setTimeout(done, 1000));
    if (second % 2) continue;
    const { status, body } = await refreshAsThief(stolen);
    if (status === 401) {
      step(`The thief uses it: 401 “${body?.message}”. The session is revoked, and the server knows whose it was.`);
      await refresh();
      return step("You are logged out as well, and log in again. The thief cannot.");
    }
  }
  step("The token is still forgiven: the server runs with a long grace period.");
}));

// -- the log ------------------------------------------------------------------------------------

onExchange(({ method, path, status, body, ms, note }) => {
  showAnswer({ status, body });
  const kind = status === 0 || status >= 500 ? "bad" : status >= 400 ? "warn" : "good";
  const entry = element(
    "li", "",
    element("span", `status ${kind}`, status ? String(status) : "---"),
    element("code", "request", `${method} ${path}`),
    element("span", "note", note),
    element("span", "when", `${clock(Date.now())} · ${Math.round(ms)} ms`),
  );
  $("log").prepend(entry);
  while ($("log").children.length > LOG_LENGTH) $("log").lastChild.remove();
  $("log-empty").hidden = true;
});
$("clear").addEventListener("click", () => {
  $("log").replaceChildren();
  $("log-empty").hidden = false;
});

// -- words and times ----------------------------------------------------------------------------

const clock = (ms) => new Date(ms).toLocaleTimeString();

function duration(ms) {
  const seconds = Math.ceil(ms / 1000);
  const two = (n) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
}

setUpForm(run);
setUpDevices(run, element);
setUpVerification(run, render);
onAccount(render);
onChange(render);
setInterval(tick, 500);
render();
