import { Link } from "react-router-dom";
import { useSessionContext } from "supertokens-auth-react/recipe/session";

/** Open to everybody: the context says whether there is a session, without asking the server. */
export function Home() {
  const session = useSessionContext();
  if (session.loading) {
    return null;
  }
  return (
    <>
      <h1>Home</h1>
      {session.doesSessionExist ? (
        <p>
          Signed in. Go to the <Link to="/dashboard">dashboard</Link>.
        </p>
      ) : (
        <p>
          Not signed in. <Link to="/auth?show=signup">Sign up</Link> or <Link to="/auth">sign in</Link>, or go to
          the <Link to="/dashboard">dashboard</Link>, which sends you there first.
        </p>
      )}
    </>
  );
}
