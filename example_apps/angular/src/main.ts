import { provideHttpClient, withFetch } from "@angular/common/http";
import { inject, provideAppInitializer, provideZonelessChangeDetection } from "@angular/core";
import { bootstrapApplication } from "@angular/platform-browser";
import { provideRouter } from "@angular/router";

import { App } from "./app";
import { routes } from "./routes";
import { SessionService } from "./session";

bootstrapApplication(App, {
  providers: [
    provideZonelessChangeDetection(),
    provideHttpClient(withFetch()),
    provideRouter(routes),
    provideAppInitializer(() => inject(SessionService).start()),
  ],
});
