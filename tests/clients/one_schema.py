"""One schema of both DataJoint generations: the rows that each writes, and a program of parts.

Imported by programs of both generations, so nothing of DataJoint is imported here.
"""

import datetime
import decimal
import sys
import traceback
import uuid

from common import value

PARTS = {}


def part(step):
    """Adds a function to a step; its name says what it checks."""

    def add(function):
        PARTS.setdefault(step, []).append(function)
        return function

    return add


def run(step):
    """Every part of a step, also after one that failed; ends with 1 if any did."""
    failed = []
    for function in PARTS[step]:
        try:
            function()
        except (Exception, SystemExit):
            failed.append(f"{function.__name__}: {traceback.format_exc()}")
    if failed:
        sys.exit("\n".join(failed) + f"\n{len(failed)} of {len(PARTS[step])} parts of {step} failed")


def raises(kind, function):
    """The text of the error that `function` ends with."""
    try:
        function()
    except kind as error:
        return str(error)
    sys.exit(f"no {kind.__name__}")


SPECIES = [("mouse", "Mus musculus"), ("rat", None)]


def mouse(number):
    """A row of the new program's `Mouse`; number 3 has every NULL that is allowed."""
    full = number != 3
    return {
        "mouse_id": number,
        "species": "rat" if number == 2 else "mouse",
        "identity": uuid.UUID(int=number),
        "born": datetime.date(2024, 2, number),
        "weight": decimal.Decimal(f"{20 + number}.25") if full else None,
        "sex": ["F", "M", "unknown"][number % 3],
        "good": number % 2,
        "meta": {"cage": number, "tags": ["ä", "'"]} if full else None,
        "note": f"mouse {number}",
    }


def session(mouse_id, number):
    """A row of the new program's `Session`, without its attachment."""
    return {
        "mouse_id": mouse_id,
        "session": number,
        "at": datetime.datetime(2024, 3, mouse_id, 12, number, 0, 250_000),
        "operator": "ada" if number == 1 else None,
        "traces": value(mouse_id + number) if number < 3 else None,
        "inside": value(number) if number != 2 else None,
    }


def trial(mouse_id, number, trial_id):
    return {"mouse_id": mouse_id, "session": number, "trial": trial_id, "response": value(10 * number + trial_id)}


MICE = [mouse(n) for n in (1, 2, 3)]
SESSIONS = [session(m, s) for m in (1, 2) for s in (1, 2, 3)]
TRIALS = [trial(row["mouse_id"], row["session"], t) for row in SESSIONS for t in (1, 2)]
PAIRS = [{"left": 1, "right": 2, "score": 0.5}, {"left": 2, "right": 3, "score": -1.0}]
