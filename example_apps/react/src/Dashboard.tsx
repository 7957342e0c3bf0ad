import { useState } from "react";
import { useNavigate } from "react-router-dom";
import Session, { signOut, useSessionContext } from "supertokens-auth-react/recipe/session";

import { call } from "./api";

/** Reads the payload in both ways, changes it, and signs out. */
export function Dashboard() {
  const session = useSessionContext();
  const navigate = useNavigate();
  const [read, setRead] = useState<number>();

  if (session.loading) {
    return null;
  }
  if (!session.doesSessionExist) {
    return null; // <SessionAuth> is about to send the visitor to the sign-in page
  }
  // With the React context: rendered again whenever the payload changes.
  const { accessTokenPayload, userId } = session;

  // Without the React context: anywhere, also outside components.
  async function readPayload() {
    if (await Session.doesSessionExist()) {
      const payload = await Session.getAccessTokenPayloadSecurely();
      setRead(payload.visits);
    }
  }

  async function leave() {
    await signOut();
    navigate("/");
  }

  return (
    <>
      <h1>Dashboard of {userId}</h1>
      <dl>
        <dt>Visits, with React context</dt>
        <dd id="context-visits">{accessTokenPayload.visits}</dd>
        <dt>Visits, without React context</dt>
        <dd id="read-visits">{read ?? "not read yet"}</dd>
      </dl>
      <p className="buttons">
        <button onClick={() => call("POST", "/api/visits")}>Count a visit</button>
        <button onClick={readPayload}>Read the payload</button>
        <button onClick={leave}>Sign out</button>
      </p>
    </>
  );
}
