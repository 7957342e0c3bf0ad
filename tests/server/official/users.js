// Users of the unmodified official Node SDK, kept by a core.
// Usage: node users.js <core address> <api key>. Fails by an exception; ends with one line "done: …".
"use strict";

const assert = require("node:assert/strict");
const SuperTokens = require("supertokens-node");
const EmailPassword = require("supertokens-node/recipe/emailpassword");
const EmailVerification = require("supertokens-node/recipe/emailverification");
const Multitenancy = require("supertokens-node/recipe/multitenancy");
const Session = require("supertokens-node/recipe/session");

const done = [];
const [address, password] = ["Ada@example.com", "correct horse 1"];
const id = (text) => SuperTokens.convertToRecipeUserId(text);
const status = async (call) => (await call).status;
const signIn = (email, secret) => EmailPassword.signIn("public", email, secret);

async function signUpAndIn() {
    const made = await EmailPassword.signUp("public", address, password);
    assert.equal(made.status, "OK");
    assert.deepEqual(made.user.emails, ["ada@example.com"]);
    assert.equal(made.recipeUserId.getAsString(), made.user.id);
    assert.equal(await status(EmailPassword.signUp("public", address, "another 1")), "EMAIL_ALREADY_EXISTS_ERROR");
    done.push("sign-up");
    assert.equal((await signIn(address, password)).user.id, made.user.id);
    assert.equal(await status(signIn(address, "wrong")), "WRONG_CREDENTIALS_ERROR");
    assert.equal(await status(signIn("bob@example.com", password)), "WRONG_CREDENTIALS_ERROR");
    done.push("sign-in");
    const session = await Session.createNewSessionWithoutRequestResponse("public", made.recipeUserId);
    assert.equal(session.getUserId(), made.user.id);
    done.push("session");
    return made.user.id;
}

async function reset(userId) {
    const token = async () =>
        (await EmailPassword.createResetPasswordToken("public", userId, "ada@example.com")).token;
    const [first, second] = [await token(), await token()];
    const use = (text, secret) => status(EmailPassword.resetPasswordUsingToken("public", text, secret));
    assert.equal(await use(second, "new password 2"), "OK");
    for (const used of [first, second])
        assert.equal(await use(used, "third password 3"), "RESET_PASSWORD_INVALID_TOKEN_ERROR");
    assert.equal(await status(signIn(address, password)), "WRONG_CREDENTIALS_ERROR");
    assert.equal(await status(signIn(address, "new password 2")), "OK");
    done.push("reset");
    const change = (values) => status(EmailPassword.updateEmailOrPassword(values));
    const recipeUserId = id(userId);
    assert.equal(await change({ recipeUserId, password: "weak" }), "PASSWORD_POLICY_VIOLATED_ERROR");
    assert.equal(await change({ recipeUserId, email: "eve@example.com", password }), "OK");
    assert.equal(await status(signIn("eve@example.com", password)), "OK");
    assert.equal(await change({ recipeUserId: id("nobody"), email: "x@example.com" }), "UNKNOWN_USER_ID_ERROR");
    done.push("change");
}

async function verify(userId) {
    const who = id(userId);
    assert.equal(await EmailVerification.isEmailVerified(who), false);
    const { token } = await EmailVerification.createEmailVerificationToken("public", who);
    const use = () => status(EmailVerification.verifyEmailUsingToken("public", token));
    assert.equal(await use(), "OK");
    assert.equal(await EmailVerification.isEmailVerified(who), true);
    assert.equal(await use(), "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR");
    const again = await status(EmailVerification.createEmailVerificationToken("public", who));
    assert.equal(again, "EMAIL_ALREADY_VERIFIED_ERROR");
    await EmailVerification.unverifyEmail(who);
    assert.equal(await EmailVerification.isEmailVerified(who), false);
    await EmailVerification.revokeEmailVerificationTokens("public", who);
    done.push("verification");
}

async function find(userId) {
    const tenantId = "public";
    assert.equal((await SuperTokens.getUser(userId)).id, userId);
    const found = await SuperTokens.listUsersByAccountInfo(tenantId, { email: "eve@example.com" });
    assert.deepEqual(found.map((user) => user.id), [userId]);
    for (let number = 0; number < 4; number++)
        assert.equal(await status(EmailPassword.signUp(tenantId, `u${number}@example.com`, password)), "OK");
    const seen = [];
    let paginationToken;
    do {
        const page = await SuperTokens.getUsersOldestFirst({ tenantId, limit: 2, paginationToken });
        seen.push(...page.users.map((user) => user.id));
        paginationToken = page.nextPaginationToken;
    } while (paginationToken !== undefined);
    assert.deepEqual([seen[0], seen.length, new Set(seen).size], [userId, 5, 5]);
    const newest = await SuperTokens.getUsersNewestFirst({ tenantId, limit: 1 });
    assert.deepEqual(newest.users[0].emails, ["u3@example.com"]);
    const searched = await SuperTokens.getUsersNewestFirst({ tenantId, query: { email: "u2" } });
    assert.equal(searched.users.length, 1);
    assert.equal(await SuperTokens.getUserCount(), 5);
    done.push("list");
}

async function remove(userId) {
    await SuperTokens.deleteUser(userId);
    assert.equal(await SuperTokens.getUserCount(), 4);
    assert.deepEqual(await Session.getAllSessionHandlesForUser(userId), []);
    assert.equal(await status(signIn("eve@example.com", password)), "WRONG_CREDENTIALS_ERROR");
    done.push("delete");
}

async function mapAnId() {
    const made = await EmailPassword.signUp("public", "mapped@example.com", password);
    const mapping = { superTokensUserId: made.user.id, externalUserId: "42", externalUserIdInfo: "note" };
    assert.equal(await status(SuperTokens.createUserIdMapping(mapping)), "OK");
    const found = await SuperTokens.getUserIdMapping({ userId: "42" });
    assert.deepEqual([found.superTokensUserId, found.externalUserIdInfo], [made.user.id, "note"]);
    assert.equal((await signIn("mapped@example.com", password)).user.id, "42");
    done.push("mapping");
}

async function joinAndLeave() {
    await Multitenancy.createOrUpdateTenant("members", {});
    const [email, made] = ["member@example.com", await EmailPassword.signUp("public", "member@example.com", password)];
    const own = id(made.user.id);
    for (const wasAlreadyAssociated of [false, true])
        assert.deepEqual(await Multitenancy.associateUserToTenant("members", own), { status: "OK", wasAlreadyAssociated });
    assert.equal(await status(EmailPassword.signIn("members", email, password)), "OK");
    for (const wasAssociated of [true, false])
        assert.deepEqual(await Multitenancy.disassociateUserFromTenant("members", own), { status: "OK", wasAssociated });
    assert.equal(await status(EmailPassword.signUp("members", email, password)), "OK");
    assert.equal(await status(Multitenancy.associateUserToTenant("members", own)), "EMAIL_ALREADY_EXISTS_ERROR");
    const unknown = Multitenancy.associateUserToTenant("members", id("nobody"));
    assert.equal(await status(unknown), "UNKNOWN_USER_ID_ERROR");
    done.push("members");
}

async function guess() {
    for (let number = 0; number < 12; number++)
        assert.equal(await status(signIn("u1@example.com", "wrong")), "WRONG_CREDENTIALS_ERROR");
    assert.equal(await status(signIn("u1@example.com", password)), "WRONG_CREDENTIALS_ERROR");
    done.push("guesses");
}

SuperTokens.init({
    appInfo: { appName: "users", apiDomain: "http://localhost:3000", websiteDomain: "http://localhost:3001" },
    supertokens: { connectionURI: process.argv[2], apiKey: process.argv[3] },
    recipeList: [EmailPassword.init(), EmailVerification.init({ mode: "OPTIONAL" }), Session.init()],
    telemetry: false,
});

(async () => {
    const userId = await signUpAndIn();
    for (const part of [reset, verify, find, remove]) await part(userId);
    await mapAnId();
    await joinAndLeave();
    await guess();
    console.log(`done: ${done.join(", ")}`);
    process.exit(0);
})();
