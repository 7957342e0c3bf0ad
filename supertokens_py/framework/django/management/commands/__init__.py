"""`manage.py supertokens`."""
