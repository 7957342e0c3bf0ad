"""Whom providers' URLs may lead us to, how long we wait and how much we read."""

from __future__ import annotations

import contextlib
import datetime
import gzip
import ipaddress
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Collection, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from supertokens_py.recipe.thirdparty.providers import http
from supertokens_py.recipe.thirdparty.providers.addresses import NetworkRules
from supertokens_py.recipe.thirdparty.providers.failures import SignInFailedError
from supertokens_py.recipe.thirdparty.providers.http import ProviderHttp, Request
from supertokens_py.recipe.thirdparty.providers.places import MAX_EXCHANGES, Exchanges, Places
from tests.support.fake_provider import Asked, FakeProvider, Reply, fake_provider, private_key

PRODUCTION, DEVELOPMENT = NetworkRules(), NetworkRules(development=True)
ANYWHERE = NetworkRules(private_networks=True)


def _at(*addresses: str) -> Callable[[str, int], list[str]]:
    return lambda host, port: list(addresses)


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example/x",
        "ftp://idp.example/x",
        "file:///etc/passwd",
        "gopher://idp.example/",
        "javascript:alert(1)",
        "data:,x",
        "//idp.example/x",
        "idp.example",
        "",
        "https://",
        "https:///x",
        "https://user@idp.example/x",
        "https://user:pass@idp.example/x",
        "https://idp.example\\@evil.example/",
        "https://idp.example/x y",
        "https://idp.example/\r\nHost: evil.example",
        "https://idp%2eexample/",
        "https://idp.example/#fragment",
        "https://idp.exämple/",
        "https://[::1/",
        "https://idp.example:port/",
        "https://idp.example/" + "x" * 2000,
    ],
)
def test_urls_that_are_never_asked(url: str) -> None:
    for rules in (PRODUCTION, DEVELOPMENT, ANYWHERE):
        with pytest.raises(SignInFailedError):
            ProviderHttp(rules, resolve=_at("93.184.216.34")).send(Request(url=url), ())


#: Where a tenant could make us ask: this machine, our network, metadata services of clouds.
INSIDE = [
    *("127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
    *(
        "100.64.0.1",
        "192.0.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "255.255.255.255",
        "240.0.0.1",
    ),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1"),
    *("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2001:db8::1"),
    *("2001:0:4136:e378:8000:63bf:f5ff:fffe", "not an address", ""),
]


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_are_refused(address: str) -> None:
    """Also where only one of several addresses is: which one is connected to would be chance."""
    for addresses in ([address], ["93.184.216.34", address]):
        sender = ProviderHttp(PRODUCTION, resolve=_at(*addresses))
        with pytest.raises(SignInFailedError, match="is in a private network; see allow_private_networks"):
            sender.send(Request(url="https://idp.example/x"), {"https://other.example"})


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "0x7f000001", "2130706433", "017700000001", "localhost", "[::1]", "0"),
        *("[::ffff:127.0.0.1]", "127.0.0.1.", "LOCALHOST"),
    ],
)
def test_spellings_of_this_machine(host: str) -> None:
    """The system's own resolver decides what a spelling means, and its answer is looked at."""
    with pytest.raises(SignInFailedError, match=r"private network|has no address"):
        ProviderHttp(PRODUCTION).send(Request(url=f"https://{host}/"), ())


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_addresses_outside_are_allowed(address: str) -> None:
    target = PRODUCTION.target("https://idp.example/x", ())
    assert PRODUCTION.allows(target, address)


def test_who_may_be_inside() -> None:
    """This machine in development; origins that the code names; any where the application says so."""
    assert DEVELOPMENT.allows(DEVELOPMENT.target("http://localhost:1/", ()), "127.0.0.1")
    assert not DEVELOPMENT.allows(DEVELOPMENT.target("https://idp.example/", ()), "10.0.0.1")
    listed = {"https://keycloak.internal", "https://id.internal:8443"}
    for url, is_listed in (
        ("https://keycloak.internal/x", True),
        ("https://KEYCLOAK.internal.:443/x", True),
        ("https://id.internal:8443/x", True),
        ("https://keycloak.internal:9200/_search", False),
        ("https://id.internal/x", False),
    ):
        assert PRODUCTION.allows(PRODUCTION.target(url, listed), "10.0.0.1") is is_listed, url
    assert ANYWHERE.allows(ANYWHERE.target("https://idp.example/", ()), "10.0.0.1")


def test_http_to_a_host_of_the_code_in_development_only() -> None:
    url, listed = "http://keycloak:8080/x", {"http://keycloak:8080"}
    assert DEVELOPMENT.target(url, listed).port == 8080
    for rules, origins in (
        (DEVELOPMENT, set[str]()),
        (DEVELOPMENT, {"https://keycloak:8080", "http://keycloak"}),
        (PRODUCTION, listed),
        (ANYWHERE, listed),
    ):
        with pytest.raises(SignInFailedError, match="by https only"):
            rules.target(url, origins)


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with fake_provider() as running:
        yield running


def _send(fake: FakeProvider, answer: Any, **request: Any) -> http.Answer:
    fake.answers["/x"] = answer
    return ProviderHttp(DEVELOPMENT).send(Request(url=f"{fake.address}/x", **request), ())


def test_the_address_that_was_looked_at_is_connected_to(fake: FakeProvider) -> None:
    """A name that changes its address between the two (DNS rebinding) changes nothing."""
    port = fake.address.rpartition(":")[2]
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    fake.answers["/x"] = {"ok": True}
    sender = ProviderHttp(DEVELOPMENT, resolve=rebinding)
    answer = sender.send(Request(url=f"http://idp.localhost:{port}/x"), ())
    assert answer.json() == {"ok": True}
    assert asked == ["idp.localhost"]
    assert fake.last("/x").headers["host"] == f"idp.localhost:{port}"


def test_the_next_address_is_tried(fake: FakeProvider) -> None:
    """A host with an IPv6 address on a network without IPv6."""
    fake.answers["/x"] = {"ok": True}
    sender = ProviderHttp(DEVELOPMENT, resolve=_at("127.0.0.9", "127.0.0.1"))
    assert sender.send(Request(url=f"{fake.address}/x"), ()).json() == {"ok": True}


def test_redirects_are_not_followed(fake: FakeProvider) -> None:
    fake.answers["/inside"] = {"secret": True}
    answer = _send(fake, Reply(302, b"", {"location": f"{fake.address}/inside"}))
    assert answer.status == 302
    assert "/inside" not in fake.paths()
    with pytest.raises(SignInFailedError, match="answered 302"):
        answer.successful()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b" " * (http.MAX_ANSWER_BYTES + 1)),
        Reply(200, gzip.compress(b" " * (http.MAX_ANSWER_BYTES + 1)), {"content-encoding": "gzip"}),
        Reply(200, zlib.compress(b" " * (50 << 20)), {"content-encoding": "deflate"}),
    ],
    ids=["plain", "gzip", "deflate"],
)
def test_answers_of_bounded_length(fake: FakeProvider, reply: Reply) -> None:
    with pytest.raises(SignInFailedError, match="more than 1 MiB"):
        _send(fake, reply)


def test_compressed_though_not_asked_for(fake: FakeProvider) -> None:
    answer = _send(fake, Reply(200, gzip.compress(b'{"a": 1}'), {"content-encoding": "gzip"}))
    assert answer.json() == {"a": 1}
    assert fake.last("/x").headers["accept-encoding"] == "identity"
    for encoding, body in (("gzip", b"no gzip"), ("br", b"x")):
        with pytest.raises(SignInFailedError):
            _send(fake, Reply(200, body, {"content-encoding": encoding}))


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_time_is_bounded(beginning: bytes) -> None:
    """For all of an answer: also for a host that sends a byte of head or body now and then."""
    is_over = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(beginning)
            while not is_over.wait(0.01):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        try:
            with pytest.raises(SignInFailedError, match=r"^127.0.0.1 did not answer within 0.2 s$"):
                ProviderHttp(DEVELOPMENT, timeout_s=0.2).send(Request(url=url), ())
        finally:
            is_over.set()
            thread.join()


@pytest.mark.parametrize(
    "request_parts",
    [
        {"headers": {"authorization": "Bearer é€"}},
        {"headers": {"authorization": "Bearer \ud800"}},
        {"headers": {"authorization": "Bearer a\r\nx: y"}},
        {"form": {"code": "\ud800"}},
        {"query": {"access_token": "\ud800"}},
        {"basic_auth": ("\ud800", "x")},
    ],
)
def test_what_cannot_be_sent(fake: FakeProvider, request_parts: dict[str, Any]) -> None:
    with pytest.raises(SignInFailedError, match="did not answer"):
        _send(fake, {}, **request_parts)


def test_nobody_listens() -> None:
    with pytest.raises(SignInFailedError, match=r"^127.0.0.1 did not answer \(ConnectError\)$"):
        ProviderHttp(DEVELOPMENT).send(Request(url="http://127.0.0.1:1/x?access_token=secret"), ())


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 200_000, b"<html>"])
def test_what_is_no_json(fake: FakeProvider, body: bytes) -> None:
    answer = _send(fake, Reply(200, body))
    with pytest.raises(SignInFailedError, match="answered 200 and no JSON"):
        answer.json()


def test_requests_that_wait_for_one_host_are_counted(fake: FakeProvider) -> None:
    """A slow provider of one tenant must not keep the threads of all."""
    sender = ProviderHttp(DEVELOPMENT, wait_s=0)
    depth = 0
    trusted: Collection[str] = ()

    def again(asked: Asked) -> Any:
        nonlocal depth
        depth += 1
        return sender.send(Request(url=f"{fake.address}/x"), trusted).json_object()

    fake.answers["/x"] = again
    for hosts, most in (((), http.MAX_PER_TENANTS_HOST), ({fake.address}, http.MAX_PER_HOST)):
        depth, trusted = 0, hosts
        with pytest.raises(SignInFailedError):
            sender.send(Request(url=f"{fake.address}/x"), trusted)
        assert depth == most
    fake.answers["/x"] = {"ok": True}
    assert sender.send(Request(url=f"{fake.address}/x"), ()).json() == {"ok": True}


def test_a_request_waits_for_a_place() -> None:
    """Somebody with codes that mean nothing must not end the sign-ins of others at once."""
    places, inside, leave = Places(), threading.Event(), threading.Event()

    def first() -> None:
        with places.taken("x", 1, wait_s=0, what="requests"):
            inside.set()
            leave.wait(30)

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(30)
    with (
        pytest.raises(SignInFailedError, match=r"^1 requests are waiting for an answer$"),
        places.taken("x", 1, wait_s=0.01, what="requests"),
    ):
        raise AssertionError("two were inside")
    with places.taken("y", 1, wait_s=0, what="requests"):
        leave.set()
        with places.taken("x", 1, wait_s=30, what="requests"):
            pass
    thread.join()


def test_exchanges_of_a_verifier_are_counted_while_few_others_come() -> None:
    """The memory of them is bounded; one that is forgotten while it is under way ends all the same."""
    exchanges = Exchanges(most=2)
    for _ in range(MAX_EXCHANGES):
        with exchanges.of("a"):
            pass
    with pytest.raises(SignInFailedError, match="only a few for a PKCE verifier"), exchanges.of("a"):
        pass
    with exchanges.of("b"), exchanges.of("c"), exchanges.of("d"), exchanges.of("a"):
        pass
    with exchanges.of("d"), pytest.raises(SignInFailedError, match="one by one"), exchanges.of("d"):
        pass


@pytest.mark.parametrize(
    ("url", "domain"),
    [("https://idp{}.evil.example.com/x", "example.com"), ("https://github.io:44{}/x", "github.io")],
)
def test_slow_look_ups_of_a_tenant_are_counted(url: str, domain: str) -> None:
    """By the domain that somebody registered, below which names cost nothing; by the name where none is."""
    depth = 0

    def slow(host: str, port: int) -> list[str]:
        nonlocal depth
        depth += 1
        sender.send(Request(url=url.format(depth)), ())
        return []

    sender = ProviderHttp(PRODUCTION, resolve=slow, wait_s=0)
    with pytest.raises(SignInFailedError, match=f"4 names below {domain} are waiting"):
        sender.send(Request(url=url.format(0)), ())
    assert depth == http.MAX_LOOK_UPS


@pytest.mark.parametrize("slow_step", ["resolve", "tls"])
def test_what_precedes_the_request_is_part_of_the_time(fake: FakeProvider, slow_step: str) -> None:
    """Looking up a name, or connecting: nobody is asked after it is over."""
    ended = threading.Event()

    class Ending(threading.Timer):
        def run(self) -> None:
            super().run()
            ended.set()

    def slow(*_: Any) -> Any:
        assert ended.wait(30)
        return ["127.0.0.1"] if slow_step == "resolve" else ssl.create_default_context()

    before = len(fake.asked)
    steps: dict[str, Any] = {"resolve": _at("127.0.0.1"), slow_step: slow}
    sender = ProviderHttp(DEVELOPMENT, **steps, timeout_s=0.01)
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(threading, "Timer", Ending)
        with pytest.raises(SignInFailedError, match=r"did not answer within 0.01 s"):
            sender.send(Request(url=f"{fake.address}/x"), ())
    assert len(fake.asked) == before


def test_a_proxy_is_asked_where_the_environment_names_one(
    fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knows names that this machine may not, where the code names them."""
    fake.answers["/x"] = {"through": "the proxy"}
    _by_proxy(monkeypatch, fake.address)

    def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    sender = ProviderHttp(DEVELOPMENT, resolve=unknown)
    answer = sender.send(Request(url="http://keycloak:8080/x"), {"http://keycloak:8080"})
    assert answer.json() == {"through": "the proxy"}
    assert fake.last("/x").headers["host"] == "keycloak:8080"
    with pytest.raises(SignInFailedError, match=r"metadata.localhost has no address"):
        sender.send(Request(url="http://metadata.localhost/x"), ())
    inside = ProviderHttp(DEVELOPMENT, resolve=_at("169.254.169.254"))
    with pytest.raises(SignInFailedError, match="private network"):
        inside.send(Request(url="http://metadata.localhost/x"), ())


def _by_proxy(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, proxy)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@contextlib.contextmanager
def _tunnel(port: int, connections: int) -> Generator[tuple[str, list[str]]]:
    """A proxy that leads CONNECTs to a port here; it yields its address and what it was asked."""
    asked: list[str] = []

    def copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with contextlib.suppress(OSError):
            for _ in range(connections):
                client, _ = server.accept()
                head = b""
                while b"\r\n\r\n" not in head and (piece := client.recv(65536)):
                    head += piece
                asked.append(head.split()[1].decode())
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                with client, socket.create_connection(("127.0.0.1", port)) as behind:
                    back = threading.Thread(target=copy, args=(behind, client))
                    back.start()
                    copy(client, behind)
                    back.join()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", asked


def test_a_proxy_gets_the_address_that_was_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a tenant's server, whose name may lead the proxy elsewhere; of one that the code names, the name."""
    file = _certificate(tmp_path, "idp.example")
    trusting = ssl.create_default_context(cafile=str(file))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    with (
        fake_provider(tls=serving) as fake,
        _tunnel(int(fake.address.rpartition(":")[2]), 2) as (proxy, asked),
    ):
        fake.answers["/x"] = {"ok": True}
        _by_proxy(monkeypatch, proxy)
        sender = ProviderHttp(PRODUCTION, resolve=_at("93.184.216.34"), tls=lambda: trusting)
        for origins in ((), {"https://idp.example"}):
            assert sender.send(Request(url="https://idp.example/x"), origins).json() == {"ok": True}
            assert fake.last("/x").headers["host"] == "idp.example"
        assert asked == ["93.184.216.34:443", "idp.example:443"]


def _certificate(folder: Path, name: str) -> Path:
    key, subject = private_key("EC", 7), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.2"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(private + certificate.public_bytes(pem))
    return file


def test_certificates_are_those_of_the_name(tmp_path: Path) -> None:
    """Though we connect to an address."""
    file = _certificate(tmp_path, "idp.example")
    trusting = ssl.create_default_context(cafile=str(file))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    with fake_provider(tls=serving) as fake:
        fake.answers["/x"] = {"ok": True}
        port = fake.address.rpartition(":")[2]
        sender = ProviderHttp(ANYWHERE, resolve=_at("127.0.0.1"), tls=lambda: trusting)
        assert sender.send(Request(url=f"https://idp.example:{port}/x"), ()).json() == {"ok": True}
        with pytest.raises(SignInFailedError, match="did not answer"):
            sender.send(Request(url=f"https://other.example:{port}/x"), ())
        with pytest.raises(SignInFailedError, match="did not answer"):
            ProviderHttp(ANYWHERE, resolve=_at("127.0.0.1")).send(
                Request(url=f"https://idp.example:{port}/x"), ()
            )
