"""Functions of the whole app: there are none.

Elsewhere this is the place of lists of users and of user id mappings. Both belong to login recipes,
and there are none here: sessions, roles and metadata take any text of yours as user id.
"""
