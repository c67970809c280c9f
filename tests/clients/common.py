"""What the test programs share: the data, and how it is compared.

Imported by programs of both DataJoint generations, so nothing of DataJoint is imported here.
"""

import datetime
import sys
import uuid

import numpy as np


def value(number):
    """A value for row `number`: every kind that DataJoint packs, small, large and compressed."""
    random = np.random.default_rng(number)
    kinds = [
        lambda: random.normal(size=(12, 34)),
        lambda: random.integers(0, 255, 40_000).astype(np.uint8),
        lambda: np.zeros((100, 100), np.float32),
        lambda: random.normal(size=5) + 1j * random.normal(size=5),
        lambda: {"name": "otto", "list": [1, 2.5, None, "é", b"\x00\xff"], "array": np.arange(6).reshape(2, 3)},
        lambda: [datetime.datetime(2024, 2, 29, 1, 2, 3), uuid.UUID(int=number), {"nested": (1, 2)}],
        lambda: "text with 'quotes', \"more\" and \\ backslashes",
        lambda: np.array([True, False]),
        lambda: np.empty((0, 3)),
        lambda: number,
    ]
    return kinds[number % len(kinds)]()


def grid_of(number):
    """An array of three dimensions, of another dtype for each row."""
    return np.arange(24).reshape(2, 3, 4).astype(["f8", "i2", "c8"][number % 3]) + np.array(number, "i2")


def same(found, expected):
    """Equal in type, shape and every value, however deep."""
    if isinstance(expected, np.ndarray):
        return (
            isinstance(found, np.ndarray)
            and found.dtype == expected.dtype
            and found.shape == expected.shape
            and np.array_equal(found, expected)
        )
    if isinstance(expected, dict):
        return isinstance(found, dict) and found.keys() == expected.keys() and all(
            same(found[key], expected[key]) for key in expected
        )
    if isinstance(expected, (list, tuple)):
        return (
            type(found) is type(expected)
            and len(found) == len(expected)
            and all(same(f, e) for f, e in zip(found, expected))
        )
    return type(found) is type(expected) and found == expected


def check(condition, what):
    if not condition:
        sys.exit(f"differs: {what}")


def check_rows(rows, numbers, attribute="traces"):
    """`rows` are dicts with the key `number` and a value each, for just these numbers."""
    rows = list(rows)
    check([int(row["number"]) for row in rows] == list(numbers), [row["number"] for row in rows])
    for row in rows:
        check(same(row[attribute], value(int(row["number"]))), f"row {row['number']}: {row[attribute]!r:.200}")
