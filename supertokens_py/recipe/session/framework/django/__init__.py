"""`verify_session` for Django, in `asyncio` and `syncio`."""
