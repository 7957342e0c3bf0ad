// A website that renders on its server, as one with Next.js does, with the two official modules for that:
// supertokens-auth-react/nextjs/ssr decides what a request may see, .../nextjs/middleware refreshes.
// Argument: JSON with "appInfo" and "pages". Prints its port when it listens.

import { readFileSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const ssr = require("supertokens-auth-react/nextjs/ssr");
const { superTokensMiddleware } = require("supertokens-auth-react/nextjs/middleware");
const { appInfo, pages } = JSON.parse(process.argv[2]);

/** Cookies as Next.js gives them to a page: decoded. */
function cookiesOf(request) {
  const pairs = (request.headers.cookie ?? "").split("; ").filter(Boolean);
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), decodeURIComponent(pair.slice(pair.indexOf("=") + 1))]),
  );
}

let middleware;
const server = http.createServer(async (request, response) => {
  const url = new URL(request.url, appInfo.websiteDomain);
  const file = /^\/pages\/([\w.-]+)$/.exec(url.pathname);
  if (file) {
    const kind = file[1].endsWith(".js") ? "text/javascript" : "text/html";
    response.writeHead(200, { "content-type": `${kind}; charset=utf-8` });
    response.end(readFileSync(`${pages}/${file[1]}`));
    return;
  }
  const early = await middleware(new Request(url, { method: request.method, headers: request.headers }));
  for (const line of early.headers.getSetCookie()) response.appendHeader("set-cookie", line);
  if (!early.headers.has("x-middleware-next")) {
    response.writeHead(early.status, early.headers.has("location") ? { location: early.headers.get("location") } : {});
    response.end();
    return;
  }
  if (url.pathname !== "/dashboard") {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end("<title>Log in</title>");
    return;
  }
  const result = await ssr.getServerSidePropsSessionWithoutClaimValidation({
    url: request.url,
    cookies: cookiesOf(request),
  });
  if (result.redirect) {
    response.writeHead(307, { location: result.redirect.destination });
    response.end();
    return;
  }
  const session = JSON.stringify(result.props.session).replaceAll("<", "\\u003c");
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
  response.end(`<title>Dashboard</title><script id="session" type="application/json">${session}</script>`);
});
server.listen(0, "127.0.0.1", () => {
  appInfo.websiteDomain = `http://localhost:${server.address().port}`;
  ssr.init({ appInfo });
  middleware = superTokensMiddleware({ appInfo });
  console.log(server.address().port);
});
