"""Wire names that more than one layer needs, and the supported protocol versions."""

VERSION = "0.1.0"
SUPPORTED_CDI_VERSIONS = ("3.0", "3.1", "4.0", "5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6")

DEFAULT_TENANT_ID = "public"
DEFAULT_APP_ID = "public"

#: Of a request that the SDK answers, in an application and as a server.
MAX_BODY_BYTES = 1_048_576

RID_HEADER = "rid"
FDI_HEADER = "fdi-version"
#: Beyond the core driver interface: whom a request to a core is made for, an IPv4 address or an IPv6 network.
#: In the answer with the versions, that the core takes it.
CLIENT_HEADER = "st-client"

#: Claims of a session token that applications may neither set nor overwrite
#: (protocol: Protected claims); `stt` marks OAuth2 tokens and would make a session unusable.
PROTECTED_CLAIMS = (
    "sub",
    "iat",
    "exp",
    "sessionHandle",
    "parentRefreshTokenHash1",
    "refreshTokenHash1",
    "antiCsrfToken",
    "rsub",
    "tId",
    "stt",
)

#: Claims by which other services tell a session token from another JWT of ours: `create_jwt` refuses them.
SESSION_ONLY_CLAIMS = ("sessionHandle", "refreshTokenHash1")
