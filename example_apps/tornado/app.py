"""The smallest real Tornado application with sessions. Run it: see README.md beside this file."""

import hmac
import json
import os
from pathlib import Path

from tornado.ioloop import IOLoop
from tornado.options import define, options, parse_command_line
from tornado.web import Application, RequestHandler, StaticFileHandler

from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.framework.tornado import SuperTokensMixin, setup
from supertokens_py.recipe import session
from supertokens_py.recipe.session.asyncio import create_new_session, revoke_all_sessions_for_user
from supertokens_py.recipe.session.framework.tornado import verify_session

DOMAIN = os.environ.get("API_DOMAIN", "http://localhost:8000")
DATABASE = os.environ.get("SUPERTOKENS_CONNECTION_URI", "sqlite:///supertokens.db")
PASSWORD = os.environ.get("EXAMPLE_PASSWORD", "demo")  # everybody's; a real application keeps a hash per user
PAGE = Path(__file__).parent.parent / "page"

init(
    app_info=InputAppInfo(app_name="Example", api_domain=DOMAIN, website_domain=DOMAIN),
    supertokens_config=SupertokensConfig(connection_uri=DATABASE),
    recipe_list=[session.init()],
)


class Login(SuperTokensMixin, RequestHandler):  # answers errors of the SDK, such as a store out of reach
    async def post(self):
        try:
            body = json.loads(self.request.body)
        except ValueError:
            body = None
        body = body if isinstance(body, dict) else {}
        user = body.get("user")
        user = user.strip() if isinstance(user, str) else ""
        if not (1 <= len(user) <= 64 and user.isprintable()):
            self.refuse("user: a name of 1 to 64 printable characters is needed")
        elif not hmac.compare_digest(str(body.get("password", "")).encode(), PASSWORD.encode()):
            self.refuse("wrong password")
        else:
            await create_new_session(self.request, "public", user, {"visits": 0})
            self.write({"user": user})

    def refuse(self, message):
        self.set_status(400)  # not 401, which makes frontends refresh and try again
        self.write({"message": message})


class Me(RequestHandler):
    @verify_session()
    async def get(self):
        container = self.request.supertokens
        self.write(
            {
                "user": container.get_user_id(),
                "handle": container.get_handle(),
                "payload": container.get_access_token_payload(),
            }
        )


class Visits(RequestHandler):
    @verify_session()
    async def post(self):
        visits = self.request.supertokens.get_access_token_payload().get("visits", 0) + 1
        await self.request.supertokens.merge_into_access_token_payload({"visits": visits})
        self.write({"visits": visits})


class Verified(RequestHandler):
    """Notices a revoked session at once; the others trust an access token until it expires."""

    @verify_session(check_database=True)
    async def get(self):
        self.write({"user": self.request.supertokens.get_user_id(), "checked": "database"})


class SignOutEverywhere(RequestHandler):
    @verify_session()
    async def post(self):
        await self.request.supertokens.revoke_session()  # this one, so that the response clears its tokens
        others = await revoke_all_sessions_for_user(self.request.supertokens.get_user_id())
        self.write({"ended": 1 + len(others)})


app = Application(
    [
        ("/login", Login),
        ("/api/me", Me),
        ("/api/visits", Visits),
        ("/api/verified", Verified),
        ("/api/signout-everywhere", SignOutEverywhere),
        ("/(.*)", StaticFileHandler, {"path": str(PAGE), "default_filename": "index.html"}),
    ]
)
setup(app)  # answers /auth/session/refresh and /auth/signout

if __name__ == "__main__":
    define("port", 8000)
    parse_command_line()
    app.listen(options.port, "127.0.0.1")
    IOLoop.current().start()
