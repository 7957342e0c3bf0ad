"""Any JWT library can verify our tokens: it needs the address of the keys, and nothing of ours.

Real HTTP, and the libraries' own clients: PyJWT, joserfc, and `jose` for Node.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import joserfc.jwt
import jwt as pyjwt
import pytest
import uvicorn
from fastapi import FastAPI
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from supertokens_py import Supertokens
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.recipe import session
from supertokens_py.recipe.jwt.interfaces import CreateJwtOkResult
from supertokens_py.recipe.session.asyncio import create_jwt, create_new_session_without_request_response
from tests.recipe.conftest import Start
from tests.support.programs import npm

JOSE = "jose@6.0.11"
JOSE_SCRIPT = """
import { createRemoteJWKSet, jwtVerify } from "jose";
const [jwks, issuer, ...tokens] = JSON.parse(process.argv[2]);
const keys = createRemoteJWKSet(new URL(jwks));
const answers = [];
for (const token of tokens) {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer, algorithms: ["RS256"] });
    answers.push({ payload, header: protectedHeader });
  } catch (error) {
    answers.push({ code: error.code });
  }
}
console.log(JSON.stringify(answers));
"""


@dataclass
class Issued:
    """Where a service elsewhere finds the keys, and what it is shown."""

    issuer: str
    jwks_uri: str
    access_token: str
    static_access_token: str
    service_token: str

    @property
    def forged(self) -> str:
        """The access token with other claims and the same signature."""
        head, _, signature = self.access_token.split(".")
        _, claims, _ = self.service_token.split(".")
        return f"{head}.{claims}.{signature}"


@contextlib.contextmanager
def serving(app: FastAPI, listener: socket.socket) -> Iterator[None]:
    config = uvicorn.Config(app, log_level="warning", ws="none", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        deadline = time.monotonic() + 40
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        assert server.started
        yield
    finally:
        server.should_exit = True
        thread.join(40)


@pytest.fixture
async def issued(start: Start) -> AsyncIterator[Issued]:
    """Tokens of a server that answers on a real port."""
    listener = socket.create_server(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    start(session.init(use_dynamic_access_token_signing_key=False), api_domain=origin, website_domain=origin)
    static = await create_new_session_without_request_response("public", "ada", {"plan": "free"})
    Supertokens.reset()
    start(session.init(), api_domain=origin, website_domain=origin)
    dynamic = await create_new_session_without_request_response("public", "ada", {"plan": "pro"})
    result = await create_jwt({"sub": "billing", "aud": "ledger"}, 60)
    assert isinstance(result, CreateJwtOkResult)
    app = FastAPI()
    app.add_middleware(get_middleware())
    with serving(app, listener):
        async with httpx2.AsyncClient(base_url=origin, trust_env=False) as client:
            discovery = (await client.get("/auth/.well-known/openid-configuration")).json()
        yield Issued(
            discovery["issuer"],
            discovery["jwks_uri"],
            dynamic.get_access_token(),
            static.get_access_token(),
            result.jwt,
        )


def kid(token: str) -> str:
    return pyjwt.get_unverified_header(token)["kid"]


async def test_pyjwt_verifies_our_tokens(issued: Issued) -> None:
    keys = pyjwt.PyJWKClient(issued.jwks_uri)

    def verified(token: str, audience: str | None = None) -> dict[str, object]:
        key = keys.get_signing_key_from_jwt(token)
        return pyjwt.decode(token, key, algorithms=["RS256"], issuer=issued.issuer, audience=audience)

    claims = verified(issued.access_token)
    assert (claims["sub"], claims["plan"], claims["tId"]) == ("ada", "pro", "public")
    assert kid(issued.access_token).startswith("d-")
    assert verified(issued.static_access_token)["plan"] == "free"
    assert kid(issued.static_access_token).startswith("s-")
    assert verified(issued.service_token, "ledger")["sub"] == "billing"
    with pytest.raises(pyjwt.InvalidAudienceError):
        verified(issued.service_token, "other")
    with pytest.raises(pyjwt.InvalidSignatureError):
        verified(issued.forged)


async def test_joserfc_verifies_our_tokens(issued: Issued) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        keys = KeySet.import_key_set((await client.get(issued.jwks_uri)).json())
    # Our header has a member of its own, `version`, which the library is to let pass.
    registry = JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    rules = joserfc.jwt.JWTClaimsRegistry(iss={"essential": True, "value": issued.issuer})
    for token, subject in (
        (issued.access_token, "ada"),
        (issued.static_access_token, "ada"),
        (issued.service_token, "billing"),
    ):
        decoded = joserfc.jwt.decode(token, keys, registry=registry)
        rules.validate(decoded.claims)
        assert decoded.claims["sub"] == subject
    # A JWT of the JWT recipe has no such member and needs no exception.
    assert joserfc.jwt.decode(issued.service_token, keys, algorithms=["RS256"]).claims["sub"] == "billing"
    with pytest.raises(BadSignatureError):
        joserfc.jwt.decode(issued.forged, keys, registry=registry)


@pytest.fixture(scope="session")
def jose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the npm package; without node the test is skipped here and fails in CI."""
    folder = tmp_path_factory.mktemp("jose")
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    (folder / "verify.js").write_text(JOSE_SCRIPT)
    command = [npm(), "install", "--no-audit", "--no-fund", "--no-save", JOSE]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def printed_by(command: list[str], folder: Path) -> list[dict[str, Any]]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def test_jose_for_node_verifies_our_tokens(issued: Issued, jose: Path) -> None:
    shown = [
        issued.jwks_uri,
        issued.issuer,
        issued.access_token,
        issued.static_access_token,
        issued.service_token,
        issued.forged,
    ]
    command = ["node", "verify.js", json.dumps(shown)]
    *good, bad = await asyncio.to_thread(printed_by, command, jose)
    assert [answer["payload"]["sub"] for answer in good] == ["ada", "ada", "billing"]
    assert [answer["header"].get("version") for answer in good] == ["5", "5", None]
    assert bad == {"code": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"}
