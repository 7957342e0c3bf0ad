import { Component, inject, signal } from "@angular/core";
import { FormsModule } from "@angular/forms";
import { ActivatedRoute, Router } from "@angular/router";

import { SessionService } from "../session";

@Component({
  imports: [FormsModule],
  template: `
    <h1>Sign in</h1>
    <form (ngSubmit)="signIn()">
      <label for="user">User name</label>
      <input id="user" name="user" [(ngModel)]="user" autocomplete="username" required autofocus />
      <label for="password">Password (it is demo)</label>
      <input id="password" name="password" type="password" [(ngModel)]="password"
        autocomplete="current-password" required />
      <button>Sign in</button>
      <p role="alert">{{ problem() }}</p>
    </form>
  `,
})
export class SignIn {
  private readonly session = inject(SessionService);
  private readonly router = inject(Router);
  private readonly route = inject(ActivatedRoute);
  user = "";
  password = "";
  readonly problem = signal("");

  // Your own form: any route of the API that creates a session signs the visitor in.
  async signIn(): Promise<void> {
    try {
      await this.session.post("/login", { user: this.user, password: this.password });
      await this.session.read();
      await this.router.navigateByUrl(ownPath(this.route.snapshot.queryParamMap.get("back")) ?? "/dashboard");
    } catch (error) {
      this.problem.set((error as Error).message);
    }
  }
}

// A path of this website only, so that no link can send a visitor elsewhere after signing in.
function ownPath(path: string | null): string | null {
  return path !== null && /^\/(?![/\\])/.test(path) ? path : null;
}
