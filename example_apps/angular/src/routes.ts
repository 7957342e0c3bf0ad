import { inject } from "@angular/core";
import { type CanActivateFn, Router, type Routes } from "@angular/router";
import Session, { type SessionClaimValidator } from "supertokens-web-js/recipe/session";
import { UserRoleClaim } from "supertokens-web-js/recipe/userroles";

import { Dashboard } from "./pages/dashboard";
import { Home } from "./pages/home";
import { Admin, NotAnAdmin } from "./pages/admin";
import { SignIn } from "./pages/sign-in";

/**
 * Lets in who has a session that passes the validators; the API must check the same.
 * They are made when they are needed: making one needs SuperTokens.init.
 */
const protect =
  (makeValidators: () => SessionClaimValidator[], onFailure = "/"): CanActivateFn =>
  async (_, state) => {
    const router = inject(Router);
    if (!(await Session.doesSessionExist())) {
      return router.createUrlTree(["/signin"], { queryParams: { back: state.url } });
    }
    const errors = await Session.validateClaims({
      overrideGlobalClaimValidators: (globalValidators) => [...globalValidators, ...makeValidators()],
    });
    return errors.length === 0 || router.parseUrl(onFailure);
  };

export const routes: Routes = [
  { path: "", pathMatch: "full", component: Home },
  { path: "signin", component: SignIn },
  { path: "dashboard", component: Dashboard, canActivate: [protect(() => [])] },
  {
    path: "admin",
    component: Admin,
    canActivate: [protect(() => [UserRoleClaim.validators.includes("admin")], "/not-an-admin")],
  },
  { path: "not-an-admin", component: NotAnAdmin },
];
