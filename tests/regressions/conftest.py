from tests.seeds.fixtures import open_site, start

__all__ = ["open_site", "start"]
