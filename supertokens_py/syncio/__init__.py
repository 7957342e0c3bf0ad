"""Blocking functions of the whole app: there are none, see `supertokens_py.asyncio`."""
