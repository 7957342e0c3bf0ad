// What the test page runs: one of the official clients, set up from the address, and names for the tests.
//
// Settings (JSON after the # of the address):
//   client         "website" (supertokens-website) or "web-js" (supertokens-web-js)
//   apiDomain      default: the origin of the page
//   session        more arguments of the session's init, such as {"tokenTransferMethod": "header"}

import axios from "axios";
import SuperTokensWebsite, { BooleanClaim } from "supertokens-website";
import SuperTokens from "supertokens-web-js";
import Session from "supertokens-web-js/recipe/session";
import { PermissionClaim, UserRoleClaim } from "supertokens-web-js/recipe/userroles";

const settings = { client: "web-js", apiDomain: location.origin, session: {} };
if (location.hash.length > 1) Object.assign(settings, JSON.parse(decodeURIComponent(location.hash.slice(1))));
const { apiDomain } = settings;

const events = [];
const onHandleEvent = ({ userContext, ...event }) => events.push(event);

const SecondFactorClaim = new BooleanClaim({
  id: "2fa-completed",
  refresh: async () => {
    await fetch(`${apiDomain}/second-factor/refetch`, { method: "POST" });
  },
});

let client;
if (settings.client === "website") {
  SuperTokensWebsite.init({ apiDomain, apiBasePath: "/auth", onHandleEvent, ...settings.session });
  client = SuperTokensWebsite;
} else {
  SuperTokens.init({
    appInfo: { appName: "Browser tests", apiDomain, apiBasePath: "/auth" },
    recipeList: [Session.init({ onHandleEvent, ...settings.session })],
  });
  client = Session;
}

async function viaFetch(method, path, body, headers) {
  const init = { method, headers: { ...headers } };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers["content-type"] = "application/json";
  }
  const response = await fetch(apiDomain + path, init);
  return { status: response.status, text: await response.text() };
}

function viaXhr(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, apiDomain + path);
    if (body !== undefined) request.setRequestHeader("content-type", "application/json");
    request.onload = () => resolve({ status: request.status, text: request.responseText });
    request.onerror = () => reject(new TypeError("network error"));
    request.send(body === undefined ? undefined : JSON.stringify(body));
  });
}

const plainAxios = axios.create(); // on XMLHttpRequest, which the client wraps
const fetchAxios = axios.create({ adapter: "fetch" }); // on fetch, which the client wraps
const interceptedAxios = axios.create(); // with the older interceptors for axios
client.addAxiosInterceptors(interceptedAxios);

const viaAxios = (instance) => async (method, path, body) => {
  const response = await instance.request({
    method,
    url: apiDomain + path,
    data: body,
    validateStatus: () => true,
    transformResponse: (text) => text,
  });
  return { status: response.status, text: response.data };
};

const ways = {
  fetch: viaFetch,
  xhr: viaXhr,
  axios: viaAxios(plainAxios),
  "axios on fetch": viaAxios(fetchAxios),
  "axios interceptors": viaAxios(interceptedAxios),
};

/** Sends one request; a way that fails gives status 0 and the error's text. */
async function call(way, method, path, body, headers) {
  try {
    const { status, text } = await ways[way](method, path, body, headers);
    return { status, body: parsed(text) };
  } catch (error) {
    return { status: 0, body: String(error?.message ?? error) };
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What the client keeps in script-readable cookies. */
function stored() {
  const pairs = document.cookie.split("; ").filter(Boolean);
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), decodeURIComponent(pair.slice(pair.indexOf("=") + 1))]),
  );
}

function frontToken() {
  const text = stored().sFrontToken;
  if (text === undefined) return null;
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))));
}

/** Has the client judge the second factor; it fetches a claim that is missing. */
function validateSecondFactor() {
  const override = (validators) => [...validators, SecondFactorClaim.validators.isTrue()];
  return settings.client === "website"
    ? client.validateClaims(override)
    : client.validateClaims({ overrideGlobalClaimValidators: override });
}

Object.assign(window, {
  call,
  client,
  events,
  frontToken,
  PermissionClaim,
  SecondFactorClaim,
  stored,
  UserRoleClaim,
  validateSecondFactor,
});
