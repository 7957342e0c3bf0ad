"""The bytes of one-time codes and links, as official cores make them."""

from __future__ import annotations

from base64 import b64encode

import pytest

from supertokens_py.engine.code_records import NewCode, PresentedCode
from supertokens_py.engine.embedded.signin import code_digests
from supertokens_py.engine.embedded.signin.code_digests import DeviceSecret
from supertokens_py.exceptions import BadInputError

DEVICE = DeviceSecret(bytes(range(32)))
SALT = b64encode(bytes(range(32, 64))).decode()
DEVICE_ID = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
LINK_CODE = "GG0Ss4OqlRCeHdv7UHj5zeJmudmi8pXGJTZlfjEbW4Q"


def test_the_vector() -> None:
    """SI-37."""
    link = DEVICE.link_code(SALT, "123456")
    assert DEVICE.text == DEVICE_ID
    assert DEVICE.digest == "Yw3NKWbEM2aRElRIu7JbT_QSpJxzLbLIq8G4WBvXEN0"
    assert link.text == LINK_CODE
    assert link.digest == "nDpoavHqv8vldu3TKssOJvqFyOknHBs1tz-eXK0LVps="
    assert code_digests.read_device(DEVICE_ID) == DEVICE
    assert code_digests.read_link_code(LINK_CODE) == link


def test_new_ones_differ_and_are_shown_nowhere() -> None:
    devices = [code_digests.new_device() for _ in range(100)]
    assert len({device.text for device in devices}) == 100
    assert {len(device.text) for device in devices} == {44}
    assert {len(device.digest) for device in devices} == {43}
    assert {len(code_digests.new_salt()) for _ in range(100)} == {44}
    codes = {code_digests.new_code() for _ in range(1000)}
    assert len(codes) > 900
    assert all(len(code) == 6 and code.isdecimal() for code in codes)
    link = DEVICE.link_code(SALT, "123456")
    shown = repr((DEVICE, link, DEVICE.text, link.text, code_digests.new_code()))
    assert shown == "(DeviceSecret(), LinkCode(), '***', '***', '***')"


def test_what_is_presented_is_shown_nowhere() -> None:
    """Also not by whoever reads one field of a record into a variable."""
    new = NewCode(device_id="d", user_input_code="1")
    presented = PresentedCode(pre_auth_session_id="p", link_code="l", device_id="d", user_input_code="1")
    values = (new.device_id, new.user_input_code, presented.link_code, presented.device_id)
    assert values == ("d", "1", "l", "d")
    assert set(map(repr, (*values, presented.user_input_code))) == {"'***'"}


def test_padding_does_not_matter() -> None:
    assert code_digests.read_device(DEVICE_ID.rstrip("=")) == DEVICE
    assert code_digests.read_link_code(LINK_CODE + "=").text == LINK_CODE
    assert code_digests.stored_digest(f"{DEVICE.digest}=") == DEVICE.digest
    assert code_digests.stored_digest(f"{DEVICE.digest} ") == DEVICE.digest


@pytest.mark.parametrize("text", ["!", "a", "ab-_", "é", "\ud800", "a b c", "ab\ncd"])
def test_what_is_no_base64_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="Input encoding error in deviceId"):
        code_digests.read_device(text)


@pytest.mark.parametrize("text", ["!", "a", "ab+/", "é", "\ud800", "a b c", "ab\ncd"])
def test_what_is_no_base64url_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="Input encoding error in linkCode"):
        code_digests.read_link_code(text)
