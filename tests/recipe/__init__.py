"""Tests that mirror `supertokens_py.recipe`."""
