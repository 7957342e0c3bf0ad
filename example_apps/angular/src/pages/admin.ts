import { Component } from "@angular/core";

@Component({ template: `<h1>Admin</h1>` })
export class Admin {}

@Component({ template: `<h1>You are not an admin</h1>` })
export class NotAnAdmin {}
