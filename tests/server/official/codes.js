// One-time codes and links of the unmodified official Node SDK, kept by a core.
// Usage: node codes.js <core address> <api key>. Fails by an exception; ends with one line "done: …".
"use strict";

const assert = require("node:assert/strict");
const SuperTokens = require("supertokens-node");
const Passwordless = require("supertokens-node/recipe/passwordless");
const Session = require("supertokens-node/recipe/session");

const done = [];
const [address, number, tenantId] = ["Ada@example.com", "+16502530000", "public"];

async function create(contact) {
    const made = await Passwordless.createCode({ tenantId, ...contact });
    assert.equal(made.status, "OK");
    return made;
}
const byCode = ({ preAuthSessionId, deviceId, userInputCode }, code) =>
    Passwordless.consumeCode({ tenantId, preAuthSessionId, deviceId, userInputCode: code ?? userInputCode });
const byLink = ({ preAuthSessionId, linkCode }) => Passwordless.consumeCode({ tenantId, preAuthSessionId, linkCode });

async function signIn() {
    const made = await create({ email: address });
    const first = await byCode(made);
    assert.equal(first.status, "OK");
    assert.equal((await byCode(made)).status, "RESTART_FLOW_ERROR");
    const again = await byLink(await create({ email: "ada@example.com" }));
    assert.deepEqual([first.createdNewRecipeUser, again.createdNewRecipeUser], [true, false]);
    assert.equal(again.user.id, first.user.id);
    assert.deepEqual(first.user.emails, ["ada@example.com"]);
    assert.equal(again.user.loginMethods[0].verified, true);
    done.push("e-mail");
    const phone = await byCode(await create({ phoneNumber: number }));
    assert.deepEqual(phone.user.phoneNumbers, [number]);
    done.push("phone");
    return first.user.id;
}

async function guess() {
    const made = await create({ email: "bob@example.com" });
    for (const count of [1, 2, 3, 4]) {
        const wrong = await byCode(made, "x");
        assert.equal(wrong.status, "INCORRECT_USER_INPUT_CODE_ERROR");
        assert.deepEqual([wrong.failedCodeInputAttemptCount, wrong.maximumCodeInputAttempts], [count, 5]);
    }
    assert.equal((await byCode(made, "x")).status, "RESTART_FLOW_ERROR");
    done.push("wrong codes");
}

async function sendAgain() {
    const made = await create({ email: "bob@example.com" });
    const resend = () => Passwordless.createNewCodeForDevice({ tenantId, deviceId: made.deviceId });
    assert.equal((await resend()).preAuthSessionId, made.preAuthSessionId);
    assert.equal((await byCode(made)).status, "OK");
    assert.equal((await resend()).status, "RESTART_FLOW_ERROR");
    done.push("resend");
}

async function showAndRevoke() {
    const [email, list] = ["eve@example.com", (email) => Passwordless.listCodesByEmail({ tenantId, email })];
    let made = await create({ email, userInputCode: "mine" });
    const [device] = await list(email);
    assert.deepEqual([device.preAuthSessionId, device.email], [made.preAuthSessionId, email]);
    assert.deepEqual(device.codes.map((code) => code.codeId), [made.codeId]);
    const found = await Passwordless.listCodesByDeviceId({ tenantId, deviceId: made.deviceId });
    assert.equal(found.preAuthSessionId, made.preAuthSessionId);
    await Passwordless.revokeCode({ tenantId, codeId: made.codeId });
    assert.deepEqual(await list(email), []);
    made = await create({ email });
    await Passwordless.revokeAllCodes({ tenantId, email });
    assert.equal((await byCode(made)).status, "RESTART_FLOW_ERROR");
    done.push("devices");
}

async function change(userId) {
    const recipeUserId = SuperTokens.convertToRecipeUserId(userId);
    const update = async (values) => (await Passwordless.updateUser({ recipeUserId, ...values })).status;
    assert.equal(await update({ phoneNumber: number }), "PHONE_NUMBER_ALREADY_EXISTS_ERROR");
    assert.equal(await update({ email: "new@example.com" }), "OK");
    assert.equal((await byCode(await create({ email: "new@example.com" }))).user.id, userId);
    await SuperTokens.deleteUser(userId);
    assert.notEqual((await byCode(await create({ email: "new@example.com" }))).user.id, userId);
    done.push("change");
}

SuperTokens.init({
    appInfo: { appName: "codes", apiDomain: "http://localhost:3000", websiteDomain: "http://localhost:3001" },
    supertokens: { connectionURI: process.argv[2], apiKey: process.argv[3] },
    recipeList: [
        Passwordless.init({ contactMethod: "EMAIL_OR_PHONE", flowType: "USER_INPUT_CODE_AND_MAGIC_LINK" }),
        Session.init(),
    ],
    telemetry: false,
});

(async () => {
    const userId = await signIn();
    for (const part of [guess, sendAgain, showAndRevoke]) await part();
    await change(userId);
    console.log(`done: ${done.join(", ")}`);
    process.exit(0);
})();
