"""A codec of a package whose own dependency is not installed."""

import library_that_nobody_has  # noqa: F401
