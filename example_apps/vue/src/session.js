// The session as reactive state: what supertokens-web-js knows, kept current by its events.

import Session from "supertokens-web-js/recipe/session";
import { reactive } from "vue";

export const session = reactive({ loading: true, userId: null, payload: null });

/** Reads the session of this browser; asks the server only when the access token has expired. */
export async function readSession() {
  if (await Session.doesSessionExist()) {
    session.payload = await Session.getAccessTokenPayloadSecurely();
    session.userId = await Session.getUserId();
  } else {
    session.payload = session.userId = null;
  }
  session.loading = false;
}

/** Follows the events of the SDK: created, changed, refreshed, signed out, expired. */
export function onSessionEvent(event) {
  if (event.action !== "API_INVALID_CLAIM") readSession();
}

/** Calls the API. The SDK wraps `fetch`: tokens travel by themselves, and an expired session is refreshed. */
export async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message ?? `The API answered ${response.status}.`);
  return answer;
}
