import { useEffect, useState } from "react";
import { useNavigate } from "react-router-dom";
import { signOut } from "supertokens-auth-react/recipe/session";

/** Calls the API. The SDK wraps `fetch`: tokens travel by themselves, and an expired session is refreshed. */
async function call(method, path) {
  const response = await fetch(path, { method });
  if (!response.ok) throw new Error(`The API answered ${response.status}.`);
  return response.json();
}

/** A page inside <SessionAuth>: only people who are signed in get here. */
export function Dashboard() {
  const navigate = useNavigate();
  const [me, setMe] = useState();
  const [visits, setVisits] = useState();

  useEffect(() => {
    call("GET", "/api/me").then(setMe, () => {}); // without a session <SessionAuth> leaves this page
  }, []);

  return (
    <>
      <h1>Dashboard</h1>
      <dl>
        <dt>The API says that you are</dt>
        <dd id="user">{me?.user ?? "…"}</dd>
        <dt>Visits</dt>
        <dd id="visits">{visits ?? me?.payload.visits ?? 0}</dd>
      </dl>
      <p className="buttons">
        <button onClick={async () => setVisits((await call("POST", "/api/visits")).visits)}>Count a visit</button>
        <button onClick={() => signOut().then(() => navigate("/"))}>Sign out</button>
      </p>
    </>
  );
}
