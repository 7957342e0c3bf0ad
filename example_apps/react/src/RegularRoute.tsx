import type { PropsWithChildren } from "react";
import { Link } from "react-router-dom";
import { SessionAuth } from "supertokens-auth-react/recipe/session";

/** A validator of your own, on any value of the payload. */
const threeVisits = {
  id: "three-visits",
  refresh: async () => {}, // the API puts every change into the payload by itself
  shouldRefresh: () => false,
  validate: (payload: any) =>
    payload.visits >= 3
      ? ({ isValid: true } as const)
      : ({ isValid: false, reason: `${3 - (payload.visits ?? 0)} more visits are needed` } as const),
};

function TooEarly({ validationError }: { validationError: { id: string; reason?: any } }) {
  return (
    <>
      <h1>Only for regulars</h1>
      <p>{String(validationError.reason)}</p>
      <p>
        Count them on the <Link to="/dashboard">dashboard</Link>.
      </p>
    </>
  );
}

/** Shows its children after three visits, and what is missing before. */
export function RegularRoute({ children }: PropsWithChildren) {
  return (
    <SessionAuth
      accessDeniedScreen={TooEarly}
      overrideGlobalClaimValidators={(globalValidators) => [
        ...globalValidators,
        { ...threeVisits, showAccessDeniedOnFailure: true },
      ]}
    >
      {children}
    </SessionAuth>
  );
}
