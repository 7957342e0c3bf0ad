"""Sign-in with e-mail address and password, without limits and without mails."""

from __future__ import annotations

from typing import Any

from support.rounds import require_measured_package

ADDRESS, PASSWORD = "ada@example.com", "correct horse 1"


def start(uri: str) -> None:
    """Call `init` with a database of users."""
    from supertokens_py import EngineConfig, InputAppInfo, SupertokensConfig, init
    from supertokens_py.recipe import emailpassword, session
    from supertokens_py.recipe.emailpassword import EmailDeliveryConfig, EmailDeliveryInterface

    class Nowhere(EmailDeliveryInterface[Any]):
        async def send_email(self, template_vars: Any, user_context: dict[str, Any]) -> None:
            """Send nothing."""

    require_measured_package()
    engine = EngineConfig(sign_in_free_failures=0, password_reset_emails_per_day=0, clean_up_interval=0)
    delivery = EmailDeliveryConfig(Nowhere())
    init(
        InputAppInfo("Shop", "https://api.example.com", website_domain="https://example.com"),
        supertokens_config=SupertokensConfig(uri, engine=engine),
        recipe_list=[session.init(), emailpassword.init(email_delivery=delivery)],
    )


def form(**fields: str) -> dict[str, Any]:
    """Return the body of a request of the recipe's forms."""
    return {"formFields": [{"id": name, "value": value} for name, value in fields.items()]}
