"""Which passwords were verified while a request is answered."""

from __future__ import annotations

from supertokens_py.engine.records import PasswordProof
from supertokens_py.recipe.sign_in.proofs import Proofs

_proofs: Proofs[PasswordProof] = Proofs("supertokens_password_proofs")

collected = _proofs.collected
note = _proofs.note
forget = _proofs.forget
