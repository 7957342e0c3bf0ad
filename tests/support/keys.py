"""RSA pairs for tests: making one takes longer than most tests, so a dozen goes round in each process."""

from __future__ import annotations

import itertools

from supertokens_py.engine.embedded.keys.key_material import new_key_text
from supertokens_py.secret import SecretText

#: More than the engines of one test make, so that each has keys of its own.
SIZE = 12

_pairs: list[SecretText] = []
_turns = itertools.count()


def next_pair() -> SecretText:
    """Return the pair whose turn it is; it is made at the first one."""
    if len(_pairs) < SIZE:
        _pairs.append(new_key_text())
        return _pairs[-1]
    return _pairs[next(_turns) % SIZE]
