import { Component, inject, signal } from "@angular/core";
import { Router } from "@angular/router";
import Session from "supertokens-web-js/recipe/session";

import { SessionService } from "../session";

@Component({
  template: `
    <h1>Dashboard of {{ session.userId() }}</h1>
    <dl>
      <dt>Visits, as a signal</dt>
      <dd id="context-visits">{{ session.payload()?.["visits"] }}</dd>
      <dt>Visits, read by hand</dt>
      <dd id="read-visits">{{ read() }}</dd>
    </dl>
    <p class="buttons">
      <button (click)="session.post('/api/visits')">Count a visit</button>
      <button (click)="readPayload()">Read the payload</button>
      <button (click)="leave()">Sign out</button>
    </p>
  `,
})
export class Dashboard {
  readonly session = inject(SessionService);
  private readonly router = inject(Router);
  readonly read = signal<unknown>("not read yet");

  // The payload can be read anywhere, also outside components.
  async readPayload(): Promise<void> {
    if (await Session.doesSessionExist()) {
      const accessTokenPayload = await Session.getAccessTokenPayloadSecurely();
      this.read.set(accessTokenPayload.visits);
    }
  }

  async leave(): Promise<void> {
    await this.router.navigateByUrl("/");
    await Session.signOut();
  }
}
