"""What clients see of a session that was revoked while its access token is still valid."""

from __future__ import annotations

from tests.framework.site import ASGI_AND_WSGI, Site


@ASGI_AND_WSGI
def test_the_next_request_signs_the_client_out(bare_site: Site) -> None:
    """CP-16, CP-19: 401 that clears every token and asks for no refresh, and 503 is nowhere."""
    site = bare_site.init(instant_revocation=True)
    visitor = site.sign_in()
    stolen = visitor.access
    assert visitor.get("/protected").status == 200
    site.engine.sessions.revoke([visitor.handle])
    answer = visitor.get("/protected")
    assert (answer.status, answer.json) == (401, {"message": "unauthorised"})
    assert visitor.access in (None, "")
    assert site.get("/protected", cookies=[("sAccessToken", str(stolen))]).status == 401
    assert site.get("/optional", cookies=[("sAccessToken", str(stolen))]).status == 401
