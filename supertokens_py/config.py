"""Settings of the whole app, checked once: `InputAppInfo` becomes `AppInfo`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from .engine.config import EngineConfig
from .engine.factory import DEFAULT_DATABASE, check_connection_uri
from .exceptions import ConfigError
from .framework.request import BaseRequest
from .normalised_url_domain import NormalisedURLDomain
from .normalised_url_path import NormalisedURLPath
from .secret import masked
from .settings import explains_unknown_arguments
from .urls import DroppedPath, dropped_paths, site_of, web_origin

Framework: TypeAlias = Literal[
    "fastapi",
    "flask",
    "django",
    "starlette",
    "litestar",
    "quart",
    "aiohttp",
    "sanic",
    "tornado",
    "aws_lambda",
]
Mode: TypeAlias = Literal["asgi", "wsgi"]
Origin: TypeAlias = str | Callable[[BaseRequest | None, dict[str, Any]], str]
NetworkInterceptor: TypeAlias = Callable[
    [str, str, dict[str, Any], dict[str, Any] | None, dict[str, Any] | None, dict[str, Any] | None],
    tuple[str, str, dict[str, Any], dict[str, Any] | None, dict[str, Any] | None],
]

FRAMEWORKS: tuple[Framework, ...] = get_args(Framework)


@explains_unknown_arguments("InputAppInfo")
@dataclass(frozen=True)
class InputAppInfo:
    """Names and addresses of the app. At least one of `website_domain` and `origin` is needed.

    Args:
        app_name: what e-mails and text messages to users call the app; not sent to frontends.
        api_domain: origin of this API, such as "https://api.example.com".
        api_gateway_path: path prefix that a gateway strips before requests reach the app.
        api_base_path: base path of the SDK's own routes.
        website_base_path: base path of the frontend's login pages.
        website_domain: origin of the website.
        origin: the website's origin, or a function `(request or None, user_context) -> origin` asked
            for requests whose cookies are written or checked; wins over `website_domain`. An answer that
            no web page could have ("null", "capacitor://localhost") counts as another site than the API.
    """

    app_name: str
    api_domain: str
    api_gateway_path: str = ""
    api_base_path: str = "/auth"
    website_base_path: str = "/auth"
    website_domain: str | None = None
    origin: Origin | None = None

    def __post_init__(self) -> None:
        for name in ("app_name", "api_domain", "api_gateway_path", "api_base_path", "website_base_path"):
            value: Any = getattr(self, name)
            if not isinstance(value, str):
                raise ConfigError(f"{name} must be a string, not {value!r}")
        website: Any = self.website_domain
        if website is not None and not isinstance(website, str):
            raise ConfigError(f"website_domain must be a string or None, not {website!r}")
        origin: Any = self.origin
        if origin is not None and not isinstance(origin, str) and not callable(origin):
            raise ConfigError(f"origin must be a string, a function or None, not {origin!r}")


@dataclass(frozen=True, init=False)
class SupertokensConfig:
    """Which engine keeps the sessions.

    Args:
        connection_uri: None or "sqlite:///file.db" (embedded), "postgresql://…" (embedded, many machines),
            or "https://core…" (an official core; several separated by ";"). Every form of PostgreSQL's client
            library is understood: several hosts, sockets, services, "host=… dbname=…". `init` refuses what
            can only be wrong; an empty text is an error.
        api_key: sent to a core.
        network_interceptor: rewrites each request to a core: gets url, method, headers, params, body and
            user_context, returns the first five.
        disable_core_call_cache: accepted for compatibility; nothing a core answers is cached per request.
        engine: settings of the embedded engine.
    """

    connection_uri: str | None = field(default=None, repr=False)  # may contain a password
    api_key: str | None = field(default=None, repr=False)
    network_interceptor: NetworkInterceptor | None = None
    disable_core_call_cache: bool = False
    engine: EngineConfig | None = None

    @property
    def engine_uri(self) -> str:
        """The URI in use: the given one, or the default SQLite file."""
        return DEFAULT_DATABASE if self.connection_uri is None else masked(self.connection_uri.strip())

    def __init__(
        self,
        connection_uri: str | None = None,
        api_key: str | None = None,
        network_interceptor: NetworkInterceptor | None = None,
        disable_core_call_cache: bool = False,
        engine: EngineConfig | None = None,
    ) -> None:
        # Not the generated one, whose variables an error tracker would send when a setting is refused.
        connection_uri, api_key = masked(connection_uri), masked(api_key)
        object.__setattr__(self, "connection_uri", connection_uri)
        object.__setattr__(self, "api_key", api_key)
        object.__setattr__(self, "network_interceptor", network_interceptor)
        object.__setattr__(self, "disable_core_call_cache", disable_core_call_cache)
        object.__setattr__(self, "engine", engine)
        self._check()

    def _check(self) -> None:
        uri: Any = self.connection_uri
        if uri is not None and not isinstance(uri, str):
            raise ConfigError(f"connection_uri must be a string or None, not {type(uri).__name__}")
        check_connection_uri(self.engine_uri)
        api_key: Any = self.api_key
        if api_key is not None and not isinstance(api_key, str):
            raise ConfigError(f"api_key must be a string or None, not {type(api_key).__name__}")
        interceptor: Any = self.network_interceptor
        if interceptor is not None and not callable(interceptor):
            raise ConfigError("network_interceptor must be a function or None")
        engine: Any = self.engine
        if engine is not None and not isinstance(engine, EngineConfig):
            raise ConfigError(f"engine must be an EngineConfig, not {type(engine).__name__}")


class AppInfo:
    """`InputAppInfo`, normalised. Origins and paths are `str` subclasses."""

    def __init__(
        self,
        app_name: str,
        api_domain: str,
        website_domain: str | None,
        framework: Framework | None,
        api_gateway_path: str,
        api_base_path: str,
        website_base_path: str,
        mode: Mode | None,
        origin: Origin | None,
    ) -> None:
        if website_domain is None and origin is None:
            raise ConfigError("Please provide at least one of website_domain or origin")
        self.app_name = app_name
        self.given_api_domain: str = api_domain
        self.given_website: str | None = None if callable(origin) else origin or website_domain
        with _naming("api_domain"):
            self.api_domain: NormalisedURLDomain = NormalisedURLDomain(api_domain)
            self.top_level_api_domain: str = site_of(self.api_domain)
        self.api_gateway_path: NormalisedURLPath = _routable("api_gateway_path", api_gateway_path)
        behind_gateway = _routable("api_base_path", api_base_path)
        #: The base path as requests reach the app, such as "/auth": without the prefix that a gateway strips.
        self.path_behind_gateway: str = str(behind_gateway)
        self.api_base_path: NormalisedURLPath = self.api_gateway_path.append(behind_gateway)
        self.website_base_path: NormalisedURLPath = NormalisedURLPath(website_base_path)
        self.framework = framework
        self.mode: Mode = mode or ("wsgi" if framework in ("flask", "django", "aws_lambda") else "asgi")
        website_argument = "origin" if origin else "website_domain"
        with _naming(website_argument):
            self._origin = origin if callable(origin) else NormalisedURLDomain(origin or website_domain or "")
            if not callable(self._origin):
                site_of(self._origin)  # raises now rather than at the first request
        self.dropped_paths: Sequence[DroppedPath] = [
            *dropped_paths(
                api_domain,
                self.api_base_path,
                self.given_website,
                self.website_base_path,
                website_argument=website_argument,
            )
        ]

    @classmethod
    def from_input(cls, given: InputAppInfo, framework: Framework | None, mode: Mode | None) -> AppInfo:
        """Normalise `given`.

        Raises:
            ConfigError: names the argument that cannot work.
        """
        return cls(
            given.app_name,
            given.api_domain,
            given.website_domain,
            framework,
            given.api_gateway_path,
            given.api_base_path,
            given.website_base_path,
            mode,
            given.origin,
        )

    @property
    def fixed_origin(self) -> str | None:
        """The website's origin, or None when it is decided per request."""
        return None if callable(self._origin) else self._origin

    @property
    def issuer(self) -> str:
        """The `iss` of tokens: API origin plus base path."""
        return f"{self.api_domain}{self.api_base_path}"

    def website(self, request: BaseRequest | None, user_context: dict[str, Any]) -> str | None:
        """Return the website's origin for this request, or None: the function's answer is no web page's.

        Raises:
            ConfigError: the function returned something that is neither a string nor None.
        """
        if not callable(self._origin):
            return self._origin
        answer: Any = self._origin(request, user_context)
        if answer is not None and not isinstance(answer, str):
            raise ConfigError(f"the function `origin` returned {answer!r}; it must return a string")
        return None if answer is None else web_origin(answer)

    def get_origin(self, request: BaseRequest | None, user_context: dict[str, Any]) -> NormalisedURLDomain:
        """Return the website's origin for this request.

        Raises:
            ConfigError: the `origin` function answered something that is no origin; see `website`.
        """
        if callable(self._origin):
            return NormalisedURLDomain(self._origin(request, user_context))
        return self._origin

    def get_top_level_website_domain(self, request: BaseRequest | None, user_context: dict[str, Any]) -> str:
        """Return the website's site for this request."""
        return site_of(self.get_origin(request, user_context))


def _routable(argument: str, text: str) -> NormalisedURLPath:
    """Return a path below which requests are found; they arrive decoded, and cookies are set encoded."""
    with _naming(argument):
        path = NormalisedURLPath(text)
    if not path.isascii() or "%" in path:
        raise ConfigError(f"{argument}: {text!r} has characters that URLs carry encoded; use plain ones")
    return path


@contextmanager
def _naming(argument: str) -> Generator[None]:
    """Put the argument's name before what is wrong with it."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{argument}: {error}") from None


def check_arguments(app_info: Any, framework: Any, config: Any, mode: Any) -> None:
    """Refuse arguments of `init` that are of another type.

    Raises:
        ConfigError: names the argument.
    """
    if not isinstance(app_info, InputAppInfo):
        raise ConfigError("app_info must be an instance of InputAppInfo")
    if framework is not None and framework not in FRAMEWORKS:
        raise ConfigError(f"framework must be one of {', '.join(FRAMEWORKS)}, or left out; not {framework!r}")
    if config is not None and not isinstance(config, SupertokensConfig):
        raise ConfigError("supertokens_config must be an instance of SupertokensConfig, or left out")
    if mode not in (None, "asgi", "wsgi"):
        raise ConfigError(f'mode must be "asgi", "wsgi" or None, not {mode!r}')


def check_switches(**switches: Any) -> None:
    """Refuse values of `init` switches that are not a bool or None; raises as `check_arguments` does."""
    for name, value in switches.items():
        if value is not None and not isinstance(value, bool):
            raise ConfigError(f"{name} must be True, False or None, not {value!r}")
