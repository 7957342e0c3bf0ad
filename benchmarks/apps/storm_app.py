"""FastAPI with a guarded route beside the routes of sign-in: what a storm of sign-ins does to it."""

from __future__ import annotations

import os
import time
from typing import Any

from fastapi import Depends, FastAPI, Request

from apps import sign_in


def from_environment() -> FastAPI:
    sign_in.start(os.environ["BENCH_STORE"])
    from supertokens_py.framework.fastapi import get_middleware
    from supertokens_py.recipe.emailpassword.asyncio import sign_up
    from supertokens_py.recipe.session.asyncio import create_new_session
    from supertokens_py.recipe.session.framework.fastapi import verify_session

    app = FastAPI()
    guard = Depends(verify_session())
    app.add_middleware(get_middleware())

    @app.get("/cpu")
    async def cpu() -> dict[str, int]:
        return {"ns": time.process_time_ns()}

    @app.get("/me")
    async def me(session: Any = guard) -> dict[str, str]:
        return {"user": session.get_user_id()}

    @app.post("/login")
    async def login(request: Request) -> dict[str, str]:
        await sign_up("public", sign_in.ADDRESS, sign_in.PASSWORD)
        await create_new_session(request, "public", "user-1")
        return {}

    return app
