"""Connexion, imported without the warning that its use of jsonschema gives."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import connexion

__all__ = ["connexion"]
