"""Which passwords were verified while a request is answered."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from supertokens_py.engine.user_records import PasswordProof
from supertokens_py.recipe.sign_in.proofs import Proofs

_proofs: Proofs[PasswordProof] = Proofs("supertokens_password_proofs")

collected: Callable[[], AbstractContextManager[list[PasswordProof]]] = _proofs.collected
note: Callable[[PasswordProof], None] = _proofs.note
forget: Callable[[], None] = _proofs.forget
