"""Pyramid, whose import alone warns of what Python and setuptools are about to drop."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pyramid.config
    import pyramid.request
    import pyramid.response

Configurator = pyramid.config.Configurator
Response = pyramid.response.Response
