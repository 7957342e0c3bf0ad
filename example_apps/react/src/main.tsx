import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter, Link, Route, Routes } from "react-router-dom";
import SuperTokens, { SuperTokensWrapper } from "supertokens-auth-react";
import Session, { SessionAuth } from "supertokens-auth-react/recipe/session";

import { AdminRoute } from "./AdminRoute";
import { Dashboard } from "./Dashboard";
import { Home } from "./Home";
import { RegularRoute } from "./RegularRoute";
import { SignIn } from "./SignIn";
import "./style.css";

SuperTokens.init({
  appInfo: {
    appName: "Example",
    apiDomain: window.location.origin, // Vite passes /auth on to the API
    websiteDomain: window.location.origin,
    apiBasePath: "/auth",
    websiteBasePath: "/signin", // where visitors without a session are sent
  },
  // Cookies, which scripts cannot read, are the default; "header" keeps the tokens in the page.
  recipeList: [Session.init({ tokenTransferMethod: "cookie" })],
});

function App() {
  return (
    <SuperTokensWrapper>
      <BrowserRouter>
        <header>
          <strong>supertokens_py with React</strong>
          <nav aria-label="Pages">
            <Link to="/">Home</Link>
            <Link to="/dashboard">Dashboard</Link>
            <Link to="/regulars">Regulars</Link>
            <Link to="/admin">Admin</Link>
          </nav>
        </header>
        <main>
          <Routes>
            <Route path="/" element={<Home />} />
            <Route path="/signin" element={<SignIn />} />
            <Route
              path="/dashboard"
              element={
                <SessionAuth>
                  <Dashboard />
                </SessionAuth>
              }
            />
            <Route
              path="/regulars"
              element={
                <RegularRoute>
                  <h1>Welcome back</h1>
                  <p>You have been here three times or more.</p>
                </RegularRoute>
              }
            />
            <Route
              path="/admin"
              element={
                <AdminRoute>
                  <h1>Admin</h1>
                </AdminRoute>
              }
            />
            <Route path="/not-an-admin" element={<h1>You are not an admin</h1>} />
            <Route path="*" element={<h1>There is no such page</h1>} />
          </Routes>
        </main>
      </BrowserRouter>
    </SuperTokensWrapper>
  );
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
