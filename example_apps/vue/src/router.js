import Session from "supertokens-web-js/recipe/session";
import { UserRoleClaim } from "supertokens-web-js/recipe/userroles";
import { createRouter, createWebHistory } from "vue-router";

import Admin from "./pages/Admin.vue";
import Dashboard from "./pages/Dashboard.vue";
import Home from "./pages/Home.vue";
import NotAnAdmin from "./pages/NotAnAdmin.vue";
import SignIn from "./pages/SignIn.vue";

/**
 * Lets in who has a session that passes the validators; the API must check the same.
 * They are made when they are needed: making one needs SuperTokens.init.
 */
const protect = (makeValidators, onFailure = "/") => async (to) => {
  if (!(await Session.doesSessionExist())) return { path: "/signin", query: { back: to.fullPath } };
  const errors = await Session.validateClaims({
    overrideGlobalClaimValidators: (globalValidators) => [...globalValidators, ...makeValidators()],
  });
  return errors.length === 0 || onFailure;
};

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/", component: Home },
    { path: "/signin", component: SignIn },
    { path: "/dashboard", component: Dashboard, beforeEnter: protect(() => []) },
    {
      path: "/admin",
      component: Admin,
      beforeEnter: protect(() => [UserRoleClaim.validators.includes("admin")], "/not-an-admin"),
    },
    { path: "/not-an-admin", component: NotAnAdmin },
  ],
});
