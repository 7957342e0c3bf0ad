import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The browser sees one origin; Vite passes what belongs to the API on to it.
const api = process.env.API_DOMAIN ?? "http://localhost:8000";
const proxy = Object.fromEntries(["^/login$", "^/api/", "^/auth/"].map((path) => [path, { target: api }]));

export default defineConfig({
  plugins: [react()],
  server: { port: 3000, proxy },
  preview: { port: 3000, proxy },
});
