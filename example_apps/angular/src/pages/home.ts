import { Component, inject } from "@angular/core";
import { RouterLink } from "@angular/router";

import { SessionService } from "../session";

@Component({
  imports: [RouterLink],
  template: `
    <h1>Home</h1>
    @if (session.userId(); as user) {
      <p>Signed in as <strong>{{ user }}</strong>. Go to the <a routerLink="/dashboard">dashboard</a>.</p>
    } @else {
      <p>
        Not signed in. <a routerLink="/signin">Sign in</a>, or go to the
        <a routerLink="/dashboard">dashboard</a>, which sends you there first.
      </p>
    }
  `,
})
export class Home {
  readonly session = inject(SessionService);
}
