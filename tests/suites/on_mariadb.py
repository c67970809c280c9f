"""A pytest plugin for both suites: what their tests do not expect of MariaDB."""

from packaging.version import Version

parse = Version.__init__


def parse_mariadb(self, version):
    """`@@version` is parsed as if it were Python's."""
    parse(self, version.split("-")[0] if "MariaDB" in version else version)


Version.__init__ = parse_mariadb


def pytest_collection_modifyitems(items):
    """A failure in test_tls.py leaves another account logged in for all tests that follow."""
    items.sort(key=lambda item: "test_tls.py" in item.nodeid)
