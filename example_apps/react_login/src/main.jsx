import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import * as reactRouterDom from "react-router-dom";
import { BrowserRouter, Link, Route, Routes } from "react-router-dom";
import SuperTokens, { SuperTokensWrapper } from "supertokens-auth-react";
import EmailPassword from "supertokens-auth-react/recipe/emailpassword";
import { EmailPasswordPreBuiltUI } from "supertokens-auth-react/recipe/emailpassword/prebuiltui";
import EmailVerification from "supertokens-auth-react/recipe/emailverification";
import { EmailVerificationPreBuiltUI } from "supertokens-auth-react/recipe/emailverification/prebuiltui";
import Multitenancy from "supertokens-auth-react/recipe/multitenancy";
import Passwordless from "supertokens-auth-react/recipe/passwordless";
import { PasswordlessPreBuiltUI } from "supertokens-auth-react/recipe/passwordless/prebuiltui";
import Session, { SessionAuth } from "supertokens-auth-react/recipe/session";
import ThirdParty from "supertokens-auth-react/recipe/thirdparty";
import { ThirdPartyPreBuiltUI } from "supertokens-auth-react/recipe/thirdparty/prebuiltui";
import { getSuperTokensRoutesForReactRouterDom } from "supertokens-auth-react/ui";

import { Dashboard } from "./Dashboard.jsx";
import { Home } from "./Home.jsx";
import screensStyle from "./screens.css?inline";
import "./style.css";

SuperTokens.init({
  appInfo: {
    appName: "Example",
    apiDomain: window.location.origin, // Vite passes the calls to /auth on to the API
    websiteDomain: window.location.origin,
    apiBasePath: "/auth",
    websiteBasePath: "/auth", // the screens: /auth, /auth/verify, /auth/reset-password, /auth/callback/…
  },
  style: screensStyle,
  usesDynamicLoginMethods: true, // asks the API which ways to sign in it has for the tenant, and shows those
  recipeList: [
    Multitenancy.init(), // the tenant is the one of the address: /auth?tenantId=…
    EmailPassword.init(),
    Passwordless.init({ contactMethod: "EMAIL_OR_PHONE" }), // of which the API says what it takes
    ThirdParty.init(), // the API names the providers
    EmailVerification.init({ mode: "REQUIRED" }), // nobody gets to a <SessionAuth> page before
    Session.init(),
  ],
});

const screens = [
  EmailPasswordPreBuiltUI,
  PasswordlessPreBuiltUI,
  ThirdPartyPreBuiltUI,
  EmailVerificationPreBuiltUI,
];

function App() {
  return (
    <SuperTokensWrapper>
      <BrowserRouter>
        <header>
          <strong>supertokens_py with the prebuilt screens</strong>
          <nav aria-label="Pages">
            <Link to="/">Home</Link>
            <Link to="/dashboard">Dashboard</Link>
          </nav>
        </header>
        <main>
          <Routes>
            {getSuperTokensRoutesForReactRouterDom(reactRouterDom, screens)}
            <Route path="/" element={<Home />} />
            <Route
              path="/dashboard"
              element={
                <SessionAuth>
                  <Dashboard />
                </SessionAuth>
              }
            />
            <Route path="*" element={<h1>There is no such page</h1>} />
          </Routes>
        </main>
      </BrowserRouter>
    </SuperTokensWrapper>
  );
}

createRoot(document.getElementById("root")).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
