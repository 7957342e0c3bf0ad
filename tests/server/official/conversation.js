// A session conversation of the unmodified official Node SDK with a core.
// Usage: node conversation.js <core address> <api key>. Fails by an exception; ends with one line "done: …".
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const SuperTokens = require("supertokens-node");
const JWT = require("supertokens-node/recipe/jwt");
const Multitenancy = require("supertokens-node/recipe/multitenancy");
const Session = require("supertokens-node/recipe/session");
const UserMetadata = require("supertokens-node/recipe/usermetadata");
const UserRoles = require("supertokens-node/recipe/userroles");

const manifest = fs.readFileSync(path.join(__dirname, "node_modules/supertokens-node/package.json"), "utf8");
const factors = Number(JSON.parse(manifest).version.split(".")[0]) > 16;
const done = [];
const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
const id = (text) => SuperTokens.convertToRecipeUserId(text);
const create = (user, tenant = "public", payload = {}) =>
    Session.createNewSessionWithoutRequestResponse(
        tenant, id(user), { plan: "free", ...payload }, { cart: [1, null] }, false
    );
const verify = (tokens, options = {}) =>
    Session.getSessionWithoutRequestResponse(tokens.accessToken, tokens.antiCsrfToken, {
        antiCsrfCheck: true, ...options,
    });
const refresh = (tokens) =>
    Session.refreshSessionWithoutRequestResponse(tokens.refreshToken, false, tokens.antiCsrfToken);
const refused = (type, call) =>
    assert.rejects(call, (error) => {
        assert.equal(error.type, type);
        return true;
    });

async function lifecycle() {
    const created = await create("node-1");
    const tokens = created.getAllSessionTokensDangerously();
    assert.equal(created.getUserId(), "node-1");
    assert.equal(created.getTenantId(), "public");
    done.push("create");

    assert.equal((await verify(tokens)).getHandle(), created.getHandle());
    assert.equal((await verify(tokens, { checkDatabase: true })).getAccessTokenPayload().plan, "free");
    await refused("TRY_REFRESH_TOKEN", verify({ ...tokens, antiCsrfToken: "wrong" }));
    done.push("verify with and without database");

    for (const hasToken of [true, false])
        for (const antiCsrfCheck of [true, false])
            for (const checkDatabase of [true, false]) {
                const one = await Session.createNewSessionWithoutRequestResponse(
                    "public", id("node-1b"), {}, {}, !hasToken
                );
                const call = verify(one.getAllSessionTokensDangerously(), { antiCsrfCheck, checkDatabase });
                if (antiCsrfCheck && !hasToken) await refused("TRY_REFRESH_TOKEN", call);
                else assert.equal((await call).getUserId(), "node-1b");
            }
    done.push("anti-csrf");

    await created.mergeIntoAccessTokenPayload({ plan: "paid", nested: { a: null } });
    assert.equal((await verify(tokens, { checkDatabase: true })).getAccessTokenPayload().plan, "paid");
    const info = await Session.getSessionInformation(created.getHandle());
    assert.deepEqual(info.customClaimsInAccessTokenPayload.nested, { a: null });
    assert.deepEqual(info.sessionDataInDatabase, { cart: [1, null] });
    assert.equal(await Session.updateSessionDataInDatabase(created.getHandle(), { x: "ü" }), true);
    assert.deepEqual(await created.getSessionDataFromDatabase(), { x: "ü" });
    done.push("payload and data");

    const refreshed = await refresh(tokens);
    const second = refreshed.getAllSessionTokensDangerously();
    assert.equal(refreshed.getHandle(), created.getHandle());
    assert.equal(refreshed.getAccessTokenPayload().plan, "paid");
    assert.notEqual(second.refreshToken, tokens.refreshToken);
    assert.equal(claims(second.accessToken).parentRefreshTokenHash1, null);
    const again = (await refresh(tokens)).getAllSessionTokensDangerously();
    assert.equal(again.refreshToken, second.refreshToken, "a lost answer can be asked for again");
    await verify(second, { checkDatabase: true });
    done.push("refresh");

    let third = second; // within the grace period of its rotation (1 s here) a token is answered with itself
    while (third.refreshToken === second.refreshToken)
        third = (await refresh(second)).getAllSessionTokensDangerously();
    await assert.rejects(refresh(tokens), (error) => {
        assert.equal(error.type, "TOKEN_THEFT_DETECTED");
        assert.equal(error.payload.userId, "node-1");
        assert.equal(error.payload.sessionHandle, created.getHandle());
        return true;
    });
    await refused("UNAUTHORISED", verify(third, { checkDatabase: true }));
    await refused("UNAUTHORISED", refresh(third));
    done.push("theft");

    await refused("UNAUTHORISED", Session.refreshSessionWithoutRequestResponse("a.b.V2"));
    await refused("TRY_REFRESH_TOKEN", Session.getSessionWithoutRequestResponse(tokens.accessToken + "x"));
    done.push("garbage");

    const handles = [];
    for (let index = 0; index < 3; index++) handles.push((await create("node-2")).getHandle());
    assert.deepEqual((await Session.getAllSessionHandlesForUser("node-2")).sort(), [...handles].sort());
    assert.equal(await Session.revokeSession(handles[0]), true);
    assert.equal(await Session.revokeSession(handles[0]), false);
    assert.deepEqual(await Session.revokeMultipleSessions([handles[1], "gone"]), [handles[1]]);
    assert.deepEqual(await Session.revokeAllSessionsForUser("node-2"), [handles[2]]);
    assert.equal(await Session.getSessionInformation(handles[2]), undefined);
    done.push("revoke");
}

async function withRoles() {
    const made = await UserRoles.createNewRoleOrAddPermissions("editor", ["read", "write"]);
    assert.equal(made.createdNewRole, true);
    assert.equal((await UserRoles.createNewRoleOrAddPermissions("editor", ["delete"])).createdNewRole, false);
    assert.equal((await UserRoles.addRoleToUser("public", "node-3", "editor")).didUserAlreadyHaveRole, false);
    assert.equal((await UserRoles.addRoleToUser("public", "node-3", "editor")).didUserAlreadyHaveRole, true);
    assert.equal((await UserRoles.addRoleToUser("public", "node-3", "nobody")).status, "UNKNOWN_ROLE_ERROR");
    assert.deepEqual((await UserRoles.getRolesForUser("public", "node-3")).roles, ["editor"]);
    assert.deepEqual((await UserRoles.getUsersThatHaveRole("public", "editor")).users, ["node-3"]);
    const permissions = (await UserRoles.getPermissionsForRole("editor")).permissions;
    assert.deepEqual(permissions.sort(), ["delete", "read", "write"]);
    await UserRoles.removePermissionsFromRole("editor", ["delete", "unknown"]);
    assert.deepEqual((await UserRoles.getRolesThatHavePermission("write")).roles, ["editor"]);
    const payload = (await create("node-3")).getAccessTokenPayload();
    assert.deepEqual(payload["st-role"].v, ["editor"]);
    assert.deepEqual(payload["st-perm"].v.sort(), ["read", "write"]);
    assert.equal((await UserRoles.removeUserRole("public", "node-3", "editor")).didUserHaveRole, true);
    assert.deepEqual((await UserRoles.getAllRoles()).roles, ["editor"]);
    assert.equal((await UserRoles.deleteRole("editor")).didRoleExist, true);
    done.push("roles");
}

async function withMetadata() {
    assert.deepEqual((await UserMetadata.getUserMetadata("node-4")).metadata, {});
    await UserMetadata.updateUserMetadata("node-4", { a: 1, b: { c: null } });
    const merged = await UserMetadata.updateUserMetadata("node-4", { a: null, d: "ü" });
    assert.deepEqual(merged.metadata, { b: { c: null }, d: "ü" });
    await UserMetadata.clearUserMetadata("node-4");
    assert.deepEqual((await UserMetadata.getUserMetadata("node-4")).metadata, {});
    done.push("metadata");
}

async function withTenants() {
    assert.equal((await Multitenancy.createOrUpdateTenant("n1", {})).createdNew, true);
    // Up to release 16 tenants had switches instead of factors.
    const config = factors ? { firstFactors: ["custom"] } : { emailPasswordEnabled: true };
    assert.equal((await Multitenancy.createOrUpdateTenant("n1", config)).createdNew, false);
    const found = await Multitenancy.getTenant("n1");
    if (factors) assert.deepEqual(found.firstFactors, ["custom"]);
    else assert.deepEqual([found.emailPassword.enabled, found.passwordless.enabled], [true, false]);
    assert.equal(await Multitenancy.getTenant("n2"), undefined);
    const listed = (await Multitenancy.listAllTenants()).tenants.map((tenant) => tenant.tenantId);
    assert.deepEqual(listed.sort(), ["n1", "public"]);

    const created = await create("node-5", "n1");
    const tokens = created.getAllSessionTokensDangerously();
    assert.ok(created.getHandle().endsWith("_n1"));
    assert.equal((await verify(tokens, { checkDatabase: true })).getTenantId(), "n1");
    assert.equal((await refresh(tokens)).getTenantId(), "n1");
    assert.deepEqual(await Session.revokeAllSessionsForUser("node-5", true, "n1"), [created.getHandle()]);
    assert.equal((await Multitenancy.deleteTenant("n1")).didExist, true);
    done.push("tenants");
}

async function withJwts() {
    const body = claims((await JWT.createJWT({ scope: "x" }, 10)).jwt);
    assert.equal(body.scope, "x");
    assert.equal(body.exp - body.iat, 10);
    const kids = (await JWT.getJWKS()).keys.map((key) => key.kid);
    assert.ok(kids.some((kid) => kid.startsWith("s-")));
    assert.ok(kids.some((kid) => kid.startsWith("d-")));
    done.push("jwt");
}

SuperTokens.init({
    appInfo: { appName: "conversation", apiDomain: "http://localhost:3000", websiteDomain: "http://localhost:3001" },
    supertokens: { connectionURI: process.argv[2], apiKey: process.argv[3] },
    recipeList: [
        Session.init({ antiCsrf: "VIA_TOKEN" }),
        UserRoles.init(),
        UserMetadata.init(),
        Multitenancy.init(),
        JWT.init(),
    ],
    telemetry: false,
});

(async () => {
    for (const part of [lifecycle, withRoles, withMetadata, withTenants, withJwts]) await part();
    console.log(`done: ${done.join(", ")}`);
    process.exit(0);
})();
