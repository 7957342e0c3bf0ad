"""Flask: a decorated view keeps its type."""

from typing import assert_type

from flask import Flask, g

from supertokens_py.framework.flask import Middleware
from supertokens_py.recipe.session import SessionContainer
from supertokens_py.recipe.session.framework.flask import verify_session

app = Flask(__name__)
Middleware(app)


@app.route("/user/<int:number>")
@verify_session()
def view(number: int) -> str:
    session: SessionContainer = g.supertokens
    session.sync_merge_into_access_token_payload({"n": number})
    return session.get_user_id()


@verify_session(session_required=False)
async def later() -> dict[str, str]:
    return {}


def check() -> None:
    assert_type(view(1), str)
    view("one")  # error: reportArgumentType; mypy: arg-type
