// The form: sign-up, sign-in and a new password by the routes of the SDK, or a log-in by a route of the
// application's own. Which of them the server has, it says itself (GET /auth/loginmethods).

import { call } from "./client.js";

const ADDRESS = { label: "E-mail address", type: "email", placeholder: "ada@example.com" };
const WAYS = {
  signup: { ...ADDRESS, button: "Create account", hint: "(8 characters or more, a letter, a digit)", autocomplete: "new-password" },
  signin: { ...ADDRESS, button: "Sign in", autocomplete: "current-password" },
  own: {
    label: "User name", type: "text", placeholder: "ada", button: "Log in", hint: "(everybody’s is demo)",
    autocomplete: "current-password", password: "demo", note: "POST /login: whatever else tells you who a user is.",
  },
  // What the link of an e-mail opens.
  reset: { button: "Set the new password", hint: "(a new one)", autocomplete: "new-password" },
};
const RESET = "/auth/user/password/reset";
const MESSAGES = {
  WRONG_CREDENTIALS_ERROR: "The e-mail address or the password is wrong.",
  RESET_PASSWORD_INVALID_TOKEN_ERROR: "The link was used already, or it has expired. Ask for another one.",
};

const $ = (id) => document.getElementById(id);
const own = { way: "own", resetToken: null };

// -- whose account it is ------------------------------------------------------------------------

const ACCOUNT = "demo.account"; // "{user id} {e-mail address}" of the last one that signed in here
let tell = () => {};
export const onAccount = (watcher) => (tell = watcher);

/** The address of a user who signed in on this page; of others the id. */
export function nameOf(userId) {
  const [id, ...address] = (localStorage.getItem(ACCOUNT) ?? "").split(" ");
  return id === userId ? address.join(" ") : userId;
}

// -- the form -----------------------------------------------------------------------------------

/** Shows the form, once the server has said what it offers; `run(button, work)` does one thing at a time. */
export async function setUpForm(run) {
  $("login").addEventListener("submit", (event) => {
    event.preventDefault();
    run($("submit"), send);
  });
  $("forgot").addEventListener("click", (event) => run(event.currentTarget, askForReset));
  for (const choice of document.querySelectorAll("[name=way]")) {
    choice.addEventListener("change", () => show(choice.value));
  }
  const offered = await fetch("/auth/loginmethods").then((answer) => answer.json()).catch(() => null);
  const accounts = Boolean(offered?.emailPassword?.enabled);
  $("ways").hidden = !accounts;
  takeResetToken();
  show(own.resetToken ? "reset" : accounts ? "signup" : "own");
  $("login").hidden = false;
}

function takeResetToken() {
  if (!location.pathname.endsWith("/reset-password")) return;
  own.resetToken = new URLSearchParams(location.search).get("token");
  history.replaceState(null, "", "/"); // no secret stays in the address bar
}

function show(way) {
  own.way = way;
  const { label, type, placeholder, button, hint, autocomplete, password, note } = WAYS[way];
  for (const choice of document.querySelectorAll("[name=way]")) choice.checked = choice.value === way;
  $("user-field").hidden = !label;
  $("user").required = Boolean(label);
  if (label) {
    $("user-label").textContent = label;
    Object.assign($("user"), { type, placeholder, maxLength: type === "email" ? 256 : 64 });
  }
  $("password-hint").textContent = hint ?? "";
  $("password").value = password ?? "";
  $("password").autocomplete = autocomplete;
  $("submit").textContent = button;
  $("forgot").hidden = way !== "signin";
  say({ note });
}

const say = ({ error = "", note = "" }) => {
  $("login-error").textContent = error;
  $("login-note").textContent = note;
};

// -- requests -----------------------------------------------------------------------------------

const form = (fields) => Object.entries(fields).map(([id, value]) => ({ id, value }));

const SENDERS = {
  signup: (email, password) => call("POST", "/auth/signup", { formFields: form({ email, password }) }),
  signin: (email, password) => call("POST", "/auth/signin", { formFields: form({ email, password }) }),
  own: (user, password) => call("POST", "/login", { user, password }),
  reset: (_, password) =>
    call("POST", RESET, { method: "token", token: own.resetToken, formFields: form({ password }) }),
};

async function send() {
  const way = own.way;
  const { status, body } = await SENDERS[way]($("user").value, $("password").value);
  const error = problem(status, body);
  say({ error });
  if (error) return;
  $("password").value = WAYS[way].password ?? "";
  if (body.user?.id) {
    localStorage.setItem(ACCOUNT, `${body.user.id} ${body.user.emails[0]}`);
    tell();
  }
  if (way === "reset") {
    show("signin");
    say({ note: "Your password is changed, and you are signed out everywhere. Sign in with the new one." });
  }
}

async function askForReset() {
  if (!$("user").reportValidity()) return;
  const { status, body } = await call("POST", `${RESET}/token`, { formFields: form({ email: $("user").value }) });
  const error = problem(status, body);
  say({ error, note: error ? "" : "If there is such an account, an e-mail with a link is in the server’s log." });
}

/** What went wrong, for people; "" if nothing did. Of the SDK's routes a refusal is a 200 with a status. */
function problem(status, body) {
  if (status === 0) return "The server does not answer.";
  if (status !== 200) return body?.message ?? "That failed.";
  if ((body.status ?? "OK") === "OK") return "";
  return body.message ?? body.formFields?.map((field) => field.error).join(" ") ?? MESSAGES[body.status] ?? body.status;
}
