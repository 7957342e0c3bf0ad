"""The backend of the browser tests on Tornado; what one session needs."""

from __future__ import annotations

import json

import shared
from tornado.web import Application, RequestHandler

from supertokens_py.framework.tornado import SuperTokensMixin, setup
from supertokens_py.recipe.session.asyncio import create_new_session
from supertokens_py.recipe.session.framework.tornado import verify_session

shared.configure()


class Page(RequestHandler):
    def get(self, name: str) -> None:
        found = shared.page_file(name)
        if found is None:
            self.send_error(404)
        else:
            self.set_header("Content-Type", found[1])
            self.write(found[0])


class Login(SuperTokensMixin, RequestHandler):
    async def post(self) -> None:
        body = json.loads(self.request.body)
        await create_new_session(self.request, "public", body["user"], body.get("payload", {}))
        self.write({"user": body["user"]})


class Me(RequestHandler):
    @verify_session()
    async def get(self) -> None:
        self.write(shared.describe(self.request.supertokens))  # type: ignore[attr-defined]

    post = get


class Merge(RequestHandler):
    @verify_session()
    async def post(self) -> None:
        container = self.request.supertokens  # type: ignore[attr-defined]
        await container.merge_into_access_token_payload(json.loads(self.request.body))
        self.write(shared.describe(container))


app = Application([("/pages/(.*)", Page), ("/login", Login), ("/me", Me), ("/merge", Merge)])
setup(app)
