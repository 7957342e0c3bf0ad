import { Component, effect, inject } from "@angular/core";
import { Router, RouterLink, RouterOutlet } from "@angular/router";

import { SessionService } from "./session";

@Component({
  selector: "app-root",
  imports: [RouterLink, RouterOutlet],
  template: `
    <header>
      <strong>supertokens_py with Angular</strong>
      <nav aria-label="Pages">
        <a routerLink="/">Home</a>
        <a routerLink="/dashboard">Dashboard</a>
        <a routerLink="/admin">Admin</a>
      </nav>
    </header>
    <main><router-outlet /></main>
  `,
})
export class App {
  private readonly session = inject(SessionService);
  private readonly router = inject(Router);

  constructor() {
    // Signed out or revoked, in this tab or another: leave the pages that need a session.
    effect(() => {
      const needsSession = ["/dashboard", "/admin"].includes(this.router.url);
      if (this.session.userId() === null && needsSession) void this.router.navigateByUrl("/signin");
    });
  }
}
