"""Another service, without supertokens_py: Bottle and PyJWT verify tokens by the published keys."""

import json
import os
import threading
import time
import urllib.request

import bottle
import jwt

ISSUER = os.environ.get("ISSUER", "http://localhost:8000/auth")
NAME = "orders"
FRESH_S = 300  # keys are loaded again after so long, which is how a dropped key becomes known
PAUSE_S = float(os.environ.get("KEYS_PAUSE_SECONDS", "5"))  # between two loads, whoever sends unknown key ids


class Keys:
    """The keys of the auth service. Made-up tokens cause no load each, and an outage loses no key."""

    def __init__(self, address):
        self.address, self.keys, self.tried_at, self.loaded_at = address, {}, float("-inf"), float("-inf")
        self.lock = threading.Lock()

    def get(self, key_id):
        if key_id not in self.keys or time.monotonic() - self.loaded_at > FRESH_S:
            with self.lock:
                if time.monotonic() - self.tried_at > PAUSE_S:
                    self.load()
        return self.keys.get(key_id)

    def load(self):
        self.tried_at = time.monotonic()
        try:
            with urllib.request.urlopen(self.address, timeout=3) as answer:
                found = jwt.PyJWKSet.from_dict(json.load(answer)).keys
        except (OSError, ValueError, jwt.PyJWTError):
            return  # those that are known stay in use
        self.keys, self.loaded_at = {key.key_id: key for key in found}, time.monotonic()


keys = Keys(f"{ISSUER}/jwt/jwks.json")
app = bottle.Bottle()


def user_of(authorization):
    """Return the user id of a bearer token that was made for this service, or raise PyJWTError."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise jwt.InvalidTokenError("no bearer token")
    key = keys.get(jwt.get_unverified_header(token).get("kid"))
    if key is None:
        raise jwt.InvalidTokenError("the key is unknown")
    required = {"require": ["exp", "iat", "sub", "aud", "iss"]}
    claims = jwt.decode(token, key, algorithms=["RS256"], issuer=ISSUER, audience=NAME, options=required)
    return claims["sub"]


@app.get("/orders")
def orders():
    try:
        user = user_of(bottle.request.get_header("Authorization", ""))
    except jwt.PyJWTError as error:
        bottle.response.status = 401
        bottle.response.set_header("WWW-Authenticate", 'Bearer error="invalid_token"')
        return {"message": str(error)}
    return {"user": user, "orders": []}
