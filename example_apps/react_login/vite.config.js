import { defineConfig } from "vite";

// The browser sees one origin: Vite passes the calls to the API on, and keeps the pages that people open
// (/auth, /auth/reset-password), which this website has itself.
const target = process.env.API_DOMAIN ?? "http://localhost:8000";
const isPage = (request) => request.headers.accept?.includes("text/html");
const bypass = (request) => (isPage(request) ? "/index.html" : undefined);
const proxy = { "^/api/": { target }, "^/auth/": { target, bypass } };

export default defineConfig({
  esbuild: { jsx: "automatic" },
  server: { port: 3000, proxy },
  preview: { port: 3000, proxy },
  build: { chunkSizeWarningLimit: 1500 }, // the prebuilt screens are most of it
});
