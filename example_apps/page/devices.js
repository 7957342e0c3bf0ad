// Where a user is signed in: a list with a button at each session, "remember me" in the form, and why a session
// ended. Only for servers that have it: session.init(devices=DeviceSettings()) serves GET /auth/sessions and
// POST /auth/sessions/revoke; POST /api/why is the application's.

import { call, currentSession, onChange, onEnded, setRemembered } from "./client.js";

const LIST = "/auth/sessions";
const $ = (id) => document.getElementById(id);
const own = { handle: null, ended: null }; // whose list is on screen, and the session that was refused

export async function setUpDevices(run, element) {
  const { status } = await fetch(LIST, { credentials: "omit" }).catch(() => ({ status: 404 }));
  if (status === 404) return;
  $("devices-card").hidden = $("remember-field").hidden = false;
  $("remember").addEventListener("change", () => setRemembered($("remember").checked));
  setRemembered($("remember").checked);
  $("devices-show").addEventListener("click", () => run($("devices-show"), () => load(run, element)));
  $("devices-others").addEventListener("click", () => run($("devices-others"), async () => {
    const { body } = await call("POST", `${LIST}/revoke`, { which: "others" });
    say(ended(body?.revoked?.length ?? 0, "other session"));
    await load(run, element, $("devices-note").textContent);
  }));
  $("why").addEventListener("click", () => run($("why"), explain));
  onChange(forget);
  onEnded((handle) => {
    own.ended = handle;
    $("ended-text").textContent = "Your session has ended.";
    $("why").hidden = $("ended").hidden = false;
  });
}

async function explain() {
  const { status, body } = await call("POST", "/api/why", { handle: own.ended });
  if (status !== 200) return;
  $("ended-text").textContent = `${body.text[0].toUpperCase()}${body.text.slice(1)}.`;
  $("why").hidden = true;
}

async function load(run, element, note = "") {
  if (!currentSession()) return say("Log in to see where you are signed in.");
  const { status, body } = await call("GET", LIST);
  if (status !== 200) return say("");
  own.handle = currentSession()?.payload.sessionHandle ?? null;
  $("devices").replaceChildren(...body.sessions.map((one) => row(one, run, element)));
  $("devices-others").hidden = body.sessions.length < 2;
  // Whoever pressed a button that is gone goes on from here, with the keyboard as well.
  if (document.activeElement === document.body) $("devices-show").focus();
  say(note || (body.limit ? `${body.limit.used} of ${body.limit.max} sessions` : ""));
}

function row(session, run, element) {
  const name = element("b", "", session.label ?? "Unknown device");
  if (session.current) name.append(element("span", "tag", "this one"));
  if (session.impersonated) name.append(element("span", "tag warn", "somebody acting as you"));
  const facts = [
    `seen ${ago(session.lastSeen ?? session.timeCreated)}`,
    session.ip && `from ${session.ip}`,
    `since ${new Date(session.timeCreated).toLocaleDateString()}`,
    !session.persistent && "until the browser closes",
  ];
  const text = element("div", "", name, element("span", "meaning", facts.filter(Boolean).join(" · ")));
  const button = element("button", "quiet", "Sign out");
  button.type = "button";
  button.setAttribute("aria-label", `Sign out: ${session.label ?? "unknown device"}`);
  button.addEventListener("click", () => run(button, async () => {
    const { body } = await call("POST", `${LIST}/revoke`, { handles: [session.handle] });
    if (!session.current) await load(run, element, ended(body?.revoked?.length ?? 0, "session"));
  }));
  return element("li", "device", text, button);
}

const ended = (count, noun) => (count ? `${count} ${noun}${count === 1 ? "" : "s"} ended.` : "Nothing to end.");
const say = (text) => ($("devices-note").textContent = text);

function forget() {
  if (currentSession()) $("ended").hidden = true;
  if (currentSession()?.payload.sessionHandle === own.handle) return;
  own.handle = null;
  $("devices").replaceChildren();
  $("devices-others").hidden = true;
  say("");
}

function ago(ms) {
  const minutes = Math.round((Date.now() - ms) / 60_000);
  if (minutes < 1) return "just now";
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  if (minutes < 60) return words.format(-minutes, "minute");
  return minutes < 60 * 24 ? words.format(-Math.round(minutes / 60), "hour") : words.format(-Math.round(minutes / 1440), "day");
}
