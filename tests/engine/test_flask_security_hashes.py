"""Hashes of Flask-Security: of the password, or of an HMAC of it with a salt of the application."""

from __future__ import annotations

import unicodedata

import bcrypt
import pytest

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded.signin.password_hashes import (
    importable_form,
    importable_form_of_flask_security,
    lanes_of,
)
from supertokens_py.exceptions import BadInputError, ConfigError
from tests.engine.test_passwords import FOREIGN_PASSWORD, made

FLASK_SALT = "a salt of 1 é application"
#: Hashes of "correct horse 1 é" as Flask-Security 5.9.2 made them (libpass 1.9.4) after its own check of
#: the password, which normalises it (NFKD), at low costs. Here with the settings that it has by default ...
FLASK_DOUBLE_HASHES = {
    "argon2": (
        "$argon2id$v=19$m=64,t=1,p=1$GQMgROjd21uLUWqtFQLAeA$m1YFOtp+QK+P5YS/ocBSCXj4uvo5ePuzHOedZ3bhgh8"
    ),
    "bcrypt": "$2b$04$8BS9P8M7HJyu1UXCYPRK1OIsUFLih826/xs1/Pa4dlVxr8YfVhl.6",
    "pbkdf2_sha256": ("$pbkdf2-sha256$10$8b7X2ru3FqI0Roix1rrXWg$4vhflNIiAv5x2f7Bb12AzoctuvlFygV6ZDaX8aHzGgQ"),
    "pbkdf2_sha512": (
        "$pbkdf2-sha512$10$23vvvRdCyNnb2xsjRAjhvA"
        "$YFAYelQ5e2o9OqvaRYCpz2AcsAEC8cs4BWTAdXuil9xvnRC2zvcTd7SGtRth/XUI6WGaT70zCLgMKDoFS1b.3w"
    ),
    "bcrypt_sha256": "$bcrypt-sha256$v=2,t=2b,r=4$ta6wYL/baEiQOR5v9bbole$HQJg9wJARuFms0eNqyAmx49bgoP2T3S",
}
#: ... of kinds that it hashes once by default ...
FLASK_SINGLE_BY_DEFAULT = {
    "django_pbkdf2_sha256": "pbkdf2_sha256$10$mo9zG2rqnz90$eD9MhFRhmRG8saQSPJp53RtS1G8t5G8uTR0qdN6dm4A=",
    "django_argon2": (
        "argon2$argon2i$v=19$m=64,t=1,p=1$NqY0prT2/p+zVirFGKP0ng$9zmfCxgI+Wr+USUqTVM+v31vI824JrAa4n96JED9wRM"
    ),
    "django_bcrypt_sha256": ("bcrypt_sha256$$2b$04$PFKSvy6r8UpIpOxBKgZmQOZ2J10LglJwt5NQ9vKWZFAG/UdYrWYZ2"),
}
#: ... and with SECURITY_PASSWORD_SINGLE_HASH.
FLASK_SINGLE_HASHES = {
    "argon2": (
        "$argon2id$v=19$m=64,t=1,p=1$wfg/x1gL4dwbY+y9F4LwXg$qBJAEwAceKyVYxwquXJAMo3nfxmgyRebVyb3jrNcC94"
    ),
    "bcrypt": "$2b$04$BtqhTlH9WjWFLFHZ5L.dsuEry.Pr4QiMIgyhS5KGvamOb/nSEuYiq",
    "pbkdf2_sha256": ("$pbkdf2-sha256$10$dM45R.h9b40xxriXslaqlQ$uW0MDPH.1kDe.3X.VQbtr7VKhrSmrdA9AlcggrCTmO0"),
    "pbkdf2_sha512": (
        "$pbkdf2-sha512$10$UsqZc641Zsx5L.V8L2WstQ"
        "$yHX48jZZlanDZ2n/2oi0pvOLwQjakbw5EqSg6hvSCnxXtWVIYTmu7DjxdlUVsObCWxHPGW/iwoviYO7cx3Qt/g"
    ),
    "django_pbkdf2_sha256": "pbkdf2_sha256$10$cdKFpjWnpxp6$riG2V/3CcUpzPETuVon+RwtWNKdY1UdL1AAEOenCSTQ=",
    "bcrypt_sha256": "$bcrypt-sha256$v=2,t=2b,r=4$945FxePDhLqItuJDinGPSu$R//ZdAtTsxlVhvhei5dmXAoblrzEzzK",
}

_ALL = {
    **{f"twice, {kind}": (one, False) for kind, one in FLASK_DOUBLE_HASHES.items()},
    **{f"once by default, {kind}": (one, False) for kind, one in FLASK_SINGLE_BY_DEFAULT.items()},
    **{f"once, {kind}": (one, True) for kind, one in FLASK_SINGLE_HASHES.items()},
}


@pytest.mark.parametrize(("given", "single"), _ALL.values(), ids=_ALL)
def test_hashes_of_flask_security_are_verified(given: str, *, single: bool) -> None:
    """SI-25. And replaced at the first sign-in."""
    stored = importable_form_of_flask_security(given, single=single)
    own = made(flask_security_password_salt=FLASK_SALT)
    assert own.verify(FOREIGN_PASSWORD, stored)
    assert own.verify(unicodedata.normalize("NFD", FOREIGN_PASSWORD), stored)
    assert not own.verify(FOREIGN_PASSWORD + " ", stored)
    assert own.is_outdated(FOREIGN_PASSWORD, stored)


def test_a_password_that_was_not_normalised_is_verified_too() -> None:
    """Older releases did not, nor do scripts."""
    stored = importable_form_of_flask_security(
        bcrypt.hashpw(FOREIGN_PASSWORD.encode(), bcrypt.gensalt(4)).decode(), single=True
    )
    assert made().verify(FOREIGN_PASSWORD, stored)
    assert not made().verify(unicodedata.normalize("NFD", FOREIGN_PASSWORD), stored)


def test_a_hash_of_the_hmac_is_not_one_of_the_password() -> None:
    """The mark decides, and another salt is another password."""
    given = FLASK_DOUBLE_HASHES["argon2"]
    own = made(flask_security_password_salt=FLASK_SALT)
    assert not own.verify(FOREIGN_PASSWORD, importable_form(given))
    assert not own.verify(FOREIGN_PASSWORD, importable_form_of_flask_security(given, single=True))
    twice = importable_form_of_flask_security(given, single=False)
    assert not made(flask_security_password_salt=FLASK_SALT + " ").verify(FOREIGN_PASSWORD, twice)


def test_without_the_salt_the_log_says_what_is_missing(caplog: pytest.LogCaptureFixture) -> None:
    """Once for a user; the sign-in is one with a wrong password, and takes as long."""
    stored = importable_form_of_flask_security(FLASK_DOUBLE_HASHES["bcrypt"], single=False)
    own = made()
    assert [own.verify(FOREIGN_PASSWORD, stored, "ada") for _ in range(2)] == [False, False]
    assert [record.getMessage() for record in caplog.records] == [
        "user ada cannot sign in until the password is reset: its hash is one of Flask-Security, and "
        "flask_security_password_salt is not set"
    ]


def test_a_mark_is_none_of_the_forms_that_others_hand_over() -> None:
    """Only the command makes it, from what it knows of the file."""
    stored = importable_form_of_flask_security(FLASK_DOUBLE_HASHES["bcrypt"], single=False)
    with pytest.raises(BadInputError, match="none of the supported forms"):
        importable_form(stored)
    with pytest.raises(BadInputError, match="none of the supported forms"):
        importable_form_of_flask_security(stored, single=False)


def test_what_is_marked_may_ask_for_no_more_than_others() -> None:
    lanes = f"$argon2id$v=19$m=64,t=1,p=3${'A' * 22}${'A' * 43}"
    assert lanes_of(importable_form_of_flask_security(lanes, single=False)) == 3
    with pytest.raises(BadInputError, match="more memory or time"):
        importable_form_of_flask_security(f"$pbkdf2-sha256$99999999$AAAA${'A' * 43}", single=False)


def test_a_password_that_bcrypt_read_in_part_is_not_hashed_again() -> None:
    """Of the HMAC every part depends on the whole password; of the password it may be the normalised end."""
    given = FLASK_DOUBLE_HASHES["bcrypt"]
    own = made(flask_security_password_salt=FLASK_SALT)
    assert own.is_outdated("x" * 100, importable_form_of_flask_security(given, single=False))
    once = importable_form_of_flask_security(given, single=True)
    assert own.is_outdated("x" * 70 + "é", once) is False  # 72 bytes as it was sent, 73 as it was hashed
    assert own.is_outdated("x" * 69 + "é", once)


@pytest.mark.parametrize("given", ["", 7])
def test_a_salt_that_is_none_is_refused(given: object) -> None:
    with pytest.raises(ConfigError, match=r"flask_security_password_salt must be a string"):
        EngineConfig(flask_security_password_salt=given).resolve({})  # type: ignore[arg-type]


def test_the_salt_is_shown_nowhere() -> None:
    settings = EngineConfig(flask_security_password_salt=FLASK_SALT).resolve({})
    assert FLASK_SALT not in repr(settings) + repr(EngineConfig(flask_security_password_salt=FLASK_SALT))
