"""Why a sign-in with a provider cannot go on, before it is known which provider's it is."""


class SignInFailedError(Exception):
    """The provider refused, does not answer, or says something that does not fit. No secrets in the text."""
