import SuperTokens from "supertokens-web-js";
import Session from "supertokens-web-js/recipe/session";
import { createApp } from "vue";

import App from "./App.vue";
import { router } from "./router.js";
import { onSessionEvent } from "./session.js";
import "./style.css";

SuperTokens.init({
  appInfo: {
    appName: "Example",
    apiDomain: window.location.origin, // Vite passes /auth on to the API
    apiBasePath: "/auth",
  },
  // Cookies, which scripts cannot read, are the default; "header" keeps the tokens in the page.
  recipeList: [Session.init({ tokenTransferMethod: "cookie", onHandleEvent: onSessionEvent })],
});

createApp(App).use(router).mount("#app");
