from tests.seeds.fixtures import any_database, open_site, start

__all__ = ["any_database", "open_site", "start"]
