import { type FormEvent, useState } from "react";
import { useNavigate, useSearchParams } from "react-router-dom";
import { useSessionContext } from "supertokens-auth-react/recipe/session";

import { call } from "./api";

/** Your own form: any route of the API that creates a session signs the visitor in. */
export function SignIn() {
  const session = useSessionContext();
  const navigate = useNavigate();
  const [parameters] = useSearchParams();
  const [problem, setProblem] = useState("");

  async function signIn(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    try {
      await call("POST", "/login", { user: form.get("user"), password: form.get("password") });
      navigate(ownPath(parameters.get("redirectToPath")) ?? "/dashboard");
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  }

  if (session.loading) {
    return null;
  }
  return (
    <>
      <h1>Sign in</h1>
      <form onSubmit={signIn}>
        <label htmlFor="user">User name</label>
        <input id="user" name="user" autoComplete="username" required autoFocus />
        <label htmlFor="password">Password (it is demo)</label>
        <input id="password" name="password" type="password" autoComplete="current-password" required />
        <button>Sign in</button>
        <p role="alert">{problem}</p>
      </form>
    </>
  );
}

/** Accepts a path of this website only, so that no link can send a visitor elsewhere after signing in. */
function ownPath(path: string | null): string | null {
  return path !== null && /^\/(?![/\\])/.test(path) ? path : null;
}
