// Users of providers, and tenants' providers, of the unmodified official Node SDK.
// Usage: node providers.js <core address> <api key>. Fails by an exception; ends with one line "done: …".
"use strict";

const assert = require("node:assert/strict");
const SuperTokens = require("supertokens-node");
const Multitenancy = require("supertokens-node/recipe/multitenancy");
const Session = require("supertokens-node/recipe/session");
const ThirdParty = require("supertokens-node/recipe/thirdparty");

const done = [];
const signIn = (there, email) => ThirdParty.manuallyCreateOrUpdateUser("public", "acme", there, email, true);

async function users() {
    const first = await signIn("a-1", "Ada@acme.example");
    assert.equal(first.status, "OK");
    assert.equal(first.createdNewRecipeUser, true);
    const again = await signIn("a-1", "moved@acme.example");
    const other = await signIn("a-2", "moved@acme.example");
    assert.equal(again.createdNewRecipeUser, false);
    assert.equal(again.user.id, first.user.id);
    assert.notEqual(other.user.id, first.user.id);
    assert.deepEqual(again.user.emails, ["moved@acme.example"]);
    done.push("sign-in");
    const [method] = again.user.loginMethods;
    assert.equal(method.verified, true);
    assert.deepEqual({ ...method.thirdParty }, { id: "acme", userId: "a-1" });
    const find = (info) => SuperTokens.listUsersByAccountInfo("public", info);
    const byEmail = await find({ email: "moved@acme.example" });
    assert.deepEqual(new Set(byEmail.map((user) => user.id)), new Set([first.user.id, other.user.id]));
    const byAccount = await find({ thirdParty: { id: "acme", userId: "a-2" } });
    assert.deepEqual(byAccount.map((user) => user.id), [other.user.id]);
    done.push("find");
}

async function configured() {
    const config = {
        thirdPartyId: "acme",
        name: "Acme",
        clients: [{ clientId: "id", clientSecret: "secret", scope: ["a", "b"] }],
        authorizationEndpoint: "https://acme.example/authorize",
    };
    const put = () => Multitenancy.createOrUpdateThirdPartyConfig("public", config);
    assert.equal((await put()).createdNew, true);
    assert.equal((await put()).createdNew, false);
    const [kept] = (await Multitenancy.getTenant("public")).thirdParty.providers;
    assert.deepEqual(kept, config);
    const remove = () => Multitenancy.deleteThirdPartyConfig("public", "acme");
    assert.equal((await remove()).didConfigExist, true);
    assert.equal((await remove()).didConfigExist, false);
    done.push("providers of a tenant");
}

async function main() {
    const [connectionURI, apiKey] = process.argv.slice(2);
    SuperTokens.init({
        appInfo: { appName: "app", apiDomain: "http://localhost:8000", websiteDomain: "http://localhost:3000" },
        supertokens: { connectionURI, apiKey },
        recipeList: [Session.init(), ThirdParty.init()],
        telemetry: false,
    });
    await users();
    await configured();
    console.log(`done: ${done.join(", ")}`);
}

main().then(() => process.exit(0));
