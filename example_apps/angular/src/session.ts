import { HttpClient, HttpErrorResponse } from "@angular/common/http";
import { Injectable, inject, signal } from "@angular/core";
import { firstValueFrom } from "rxjs";
import SuperTokens from "supertokens-web-js";
import Session from "supertokens-web-js/recipe/session";

/** The session as signals: what supertokens-web-js knows, kept current by its events. */
@Injectable({ providedIn: "root" })
export class SessionService {
  private readonly http = inject(HttpClient);
  readonly userId = signal<string | null>(null);
  readonly payload = signal<Record<string, unknown> | null>(null);

  async start(): Promise<void> {
    SuperTokens.init({
      appInfo: {
        appName: "Example",
        apiDomain: window.location.origin, // Angular's server passes /auth on to the API
        apiBasePath: "/auth",
      },
      // Cookies, which scripts cannot read, are the default; "header" keeps the tokens in the page.
      recipeList: [
        Session.init({
          tokenTransferMethod: "cookie",
          onHandleEvent: (event) => {
            if (event.action !== "API_INVALID_CLAIM") void this.read();
          },
        }),
      ],
    });
    await this.read();
  }

  /** Reads the session of this browser; asks the server only when the access token has expired. */
  async read(): Promise<void> {
    const exists = await Session.doesSessionExist();
    this.payload.set(exists ? await Session.getAccessTokenPayloadSecurely() : null);
    this.userId.set(exists ? await Session.getUserId() : null);
  }

  /** Posts to the API. The SDK wraps `fetch`: tokens travel by themselves, an expired session is refreshed. */
  async post(path: string, body: unknown = null): Promise<void> {
    try {
      await firstValueFrom(this.http.post(path, body));
    } catch (error) {
      const answer = error as HttpErrorResponse;
      throw new Error(answer.error?.message ?? `The API answered ${answer.status}.`);
    }
  }
}
