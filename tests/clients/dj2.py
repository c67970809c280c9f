"""DataJoint 2.3.5, direct or through the `stored` listener: python dj2.py STEP.

DJ_HOST, DJ_PORT, DJ_USER, DJ_PASS and DJ_STORES are read by DataJoint itself; SCHEMA is ours.
"""

import datetime
import decimal
import os
import sys
import uuid
import warnings

import datajoint as dj
from common import check, check_rows, same, value

# "MariaDB is not supported" is known.
warnings.simplefilter("ignore")
dj.config["safemode"] = False
name = os.environ["SCHEMA"]


def read():
    """What 0.14 has inserted through the proxy."""
    recording = dj.VirtualModule("module", name).Recording
    check_rows(recording.to_dicts(order_by="number"), range(11))
    row = (recording & "number = 10").fetch1()
    check(same(row["extra"], value(1)) and same(row["inside"], value(2)), "every column")
    heading = recording.heading["traces"]
    check((heading.codec.name, heading.store, heading.comment) == ("blob", "main", "raw traces"), heading)


def insert():
    """Into the table of 0.14: on MariaDB only the proxy's `json` makes that possible."""
    recording = dj.VirtualModule("module", name).Recording
    recording.insert({"number": n, "note": "new", "traces": value(n)} for n in range(100, 110))
    check_rows((recording & "number >= 100").to_dicts(order_by="number"), range(100, 110))
    recording.update1({"number": 105, "traces": value(5)})
    check(same((recording & "number = 105").fetch1("traces"), value(5)), "update1")
    recording.update1({"number": 105, "traces": value(105)})


def read_untouched():
    """A table whose types `[declare]` has made codecs of."""
    table = dj.VirtualModule("module", name).Untouched
    store = os.environ["STORE"] or None
    for column, codec, where in (
        ("traces", "blob", store), ("extra", "blob", store), ("later", "blob", store), ("log", "attach", store), ("inside", "blob", None),
    ):
        heading = table.heading[column]
        check((heading.codec.name, heading.store) == (codec, where), f"{column}: {heading}")
    check(table.heading["small"].codec is None and table.heading["traces"].comment == "raw traces", table.heading)
    rows = table.to_dicts(order_by="number")
    check_rows(rows, range(11))
    check(same(rows[3]["extra"], value(4)) and same(rows[10]["inside"], value(3)), "other columns")
    with open(rows[10]["log"], "rb") as file:
        check(file.read() == b"log of 0.14", "an attachment")


def declare_core():
    schema = dj.Schema(name)

    @schema
    class Core(dj.Manual):
        definition = """
        number : int32
        ---
        small : int8
        large : int64
        ratio : float32
        wide : float64      # wide: exact
        good : bool
        name : varchar(20)
        code : char(3)
        day : date
        at : datetime(3)
        kind : enum('a','b')
        price : decimal(8,2)
        identity : uuid
        traces : <blob@main>   # raw traces
        inside = null : <blob>
        """

    row = dict(
        number=1, small=-7, large=2**40, ratio=0.25, wide=0.1, good=True, name="ötto", code="abc",
        day=datetime.date(2024, 2, 29), at=datetime.datetime(2024, 2, 29, 1, 2, 3, 4000), kind="b",
        price=decimal.Decimal("12.50"), identity=uuid.UUID(int=5), traces=value(1), inside=value(4),
    )
    Core.insert1(row)
    Core.insert1({**row, "number": 2, "traces": value(2), "inside": None})


def read_core():
    """What 0.14 has added to it."""
    core = dj.VirtualModule("module", name).Core
    check_rows(core.to_dicts(order_by="number"), [1, 2, 3])
    check((core & "number = 3").fetch1("identity") == uuid.UUID(int=5), "uuid")


{f.__name__: f for f in (read, read_untouched, insert, declare_core, read_core)}[sys.argv[1]]()
