// An OpenID provider of its own process: node provider.mjs FD, where FD is a listening socket.
//
// Any http://localhost redirect URI may be used. Its one page asks for an address; whoever types one is that
// person. "unverified-…" is an address that the provider has not verified, "nobody-…" an account without one.
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import http from "node:http";

import Provider from "oidc-provider";

const SECRET = "a secret of the tests, 32 characters or more";
/** One client per signature: the name says which. */
const SIGNATURES = { shop: "RS256", "shop-ps256": "PS256", "shop-es256": "ES256", "shop-eddsa": "EdDSA" };

const privateJwk = (kid, kind, options) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: "jwk" }),
  kid,
  use: "sig",
});
const keys = [
  privateJwk("rsa", "rsa", { modulusLength: 2048 }),
  privateJwk("ec", "ec", { namedCurve: "P-256" }),
  privateJwk("ed", "ed25519"),
];

const clients = Object.entries(SIGNATURES).map(([name, algorithm]) => ({
  client_id: name,
  client_secret: SECRET,
  redirect_uris: ["http://localhost/"],
  token_endpoint_auth_method: "client_secret_post",
  id_token_signed_response_alg: algorithm,
}));

const claimsOf = (address) => ({
  sub: createHash("sha256").update(address).digest("hex").slice(0, 24),
  ...(address.startsWith("nobody-")
    ? {}
    : { email: address, email_verified: !address.startsWith("unverified-") }),
});

const page = `<!doctype html><html lang="en"><title>OpenID provider</title><form method="post">
  <h1>OpenID provider</h1>
  <label>E-mail address <input name="email" autofocus></label>
  <button name="choice" value="sign-in">Sign in</button>
  <button name="choice" value="cancel">Cancel</button>
</form></html>`;

const configuration = {
  clients,
  jwks: { keys },
  cookies: { keys: [randomBytes(32).toString("hex")] },
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  features: { devInteractions: { enabled: false } },
  enabledJWA: { idTokenSigningAlgValues: Object.values(SIGNATURES) },
  interactions: { url: (context, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (context, address) => ({ accountId: address, claims: () => claimsOf(address) }),
  loadExistingGrant: ({ oidc }) => consent(oidc),
  ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Grant: 600, Interaction: 600, Session: 600 },
};

/** Everybody consents to everything. */
async function consent({ provider, session, client }) {
  if (!session.accountId) return undefined;
  const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
  grant.addOIDCScope("openid email");
  await grant.save();
  return grant;
}

async function form(request) {
  let body = "";
  for await (const part of request) body += part;
  return new URLSearchParams(body);
}

async function answer(provider, request, response) {
  if (!request.url.startsWith("/interaction/")) {
    return provider.callback()(request, response);
  }
  if (request.method === "GET") {
    return response.setHeader("content-type", "text/html; charset=utf-8").end(page);
  }
  const given = await form(request);
  const result =
    given.get("choice") === "cancel"
      ? { error: "access_denied", error_description: "The person pressed Cancel" }
      : { login: { accountId: given.get("email") } };
  return provider.interactionFinished(request, response, result);
}

let provider;
const server = http.createServer((request, response) => {
  answer(provider, request, response).catch((error) => {
    console.error(error);
    response.writeHead(500).end();
  });
});
server.listen({ fd: Number(process.argv[2]) }, () => {
  provider = new Provider(`http://localhost:${server.address().port}`, configuration);
  provider.Client.prototype.redirectUriAllowed = (uri) => new URL(uri).origin.startsWith("http://localhost:");
  provider.on("server_error", (context, error) => console.error(error));
});
