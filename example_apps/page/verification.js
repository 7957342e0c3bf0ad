// Verifying an e-mail address: where the session says that it is not verified yet (the claim `st-ev`), an e-mail
// with a link is asked for, and the link opens this page. Nothing is verified by opening it without a session:
// scanners of e-mails open links as well.

import { call, currentSession } from "./client.js";

const VERIFY = "/auth/user/email/verify";
const MESSAGES = {
  EMAIL_VERIFICATION_INVALID_TOKEN_ERROR: "The link was used already, or it has expired. Ask for another one.",
};

const $ = (id) => document.getElementById(id);
const state = { token: null, done: "" };
const ASKED_FOR = "demo.asked-for"; // the user for whom this tab has asked; a reload does not ask again

let tell = () => {};

/** Takes the token out of a link of an e-mail, and connects the buttons; `render` shows the page again. */
export function setUpVerification(run, render) {
  tell = render;
  $("resend").addEventListener("click", () => run($("resend"), askForEmail));
  $("verify").addEventListener("click", () => run($("verify"), verify));
  if (!location.pathname.endsWith("/verify-email")) return;
  state.token = new URLSearchParams(location.search).get("token");
  history.replaceState(null, "", "/"); // no secret stays in the address bar
  if (currentSession()) run($("verify"), verify);
}

/** Shows what the session says of the address; the first time, the e-mail is asked for. */
export function showVerification(session, nameOf) {
  const isOpen = session?.payload["st-ev"]?.v === false;
  if (isOpen) state.done = "";
  $("verify").hidden = !state.token;
  $("resend").hidden = !isOpen;
  $("address").hidden = !isOpen && !state.token && !state.done;
  $("address").classList.toggle("done", Boolean(state.done));
  write("address-text", state.done || text(session, nameOf, isOpen));
  if (isOpen && !state.token && sessionStorage.getItem(ASKED_FOR) !== session.userId) askForEmail();
}

function text(session, nameOf, isOpen) {
  if (state.token) return "Press the button to verify the address that the e-mail was sent to.";
  return isOpen ? `${nameOf(session.userId)} is not verified yet. The link is in the server’s log.` : "";
}

async function askForEmail() {
  sessionStorage.setItem(ASKED_FOR, currentSession().userId);
  show(await call("POST", `${VERIFY}/token`));
}

async function verify() {
  const answer = await call("POST", VERIFY, { method: "token", token: state.token });
  state.token = null;
  if (isOk(answer)) state.done = "The address is verified.";
  else if (currentSession()) sessionStorage.setItem(ASKED_FOR, currentSession().userId); // the person decides
  tell();
  show(answer);
}

const isOk = ({ status, body }) => status === 200 && body.status === "OK";

function show({ status, body }) {
  const isFine = isOk({ status, body }) || body?.status === "EMAIL_ALREADY_VERIFIED_ERROR";
  write("address-error", isFine ? "" : (MESSAGES[body?.status] ?? body?.message ?? "That failed."));
  if ($("address-error").textContent) $("address").hidden = false;
}

function write(id, words) {
  if ($(id).textContent !== words) $(id).textContent = words;
}
