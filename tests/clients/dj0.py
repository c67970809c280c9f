"""DataJoint 0.14 through the `bytes` listener: python dj0.py STEP.

HOST, PORT, USER, PASSWORD and SCHEMA come from the environment.
"""

import datetime
import decimal
import os
import sys
import uuid

import datajoint as dj
from common import check, check_rows, grid_of, same, value

dj.config["database.host"] = os.environ["HOST"]
dj.config["database.port"] = int(os.environ["PORT"])
dj.config["database.user"] = os.environ["USER"]
dj.config["database.password"] = os.environ["PASSWORD"]
dj.config["database.use_tls"] = {"yes": True, "no": False}.get(os.environ.get("TLS"))
dj.config["safemode"] = False
dj.config["enable_python_native_blobs"] = True
dj.config["enable_python_pickle"] = True
schema = dj.Schema(os.environ["SCHEMA"], context=globals())


class Recording(dj.Manual):
    definition = """  # recordings
    number : int
    ---
    note = "" : varchar(40)
    traces : longblob            # <blob@main> raw traces
    extra = null : longblob      # <blob@> more of it
    inside = null : longblob     # <blob> in the row
    plain = null : longblob      # no codec: <blob@main>
    """


class Trial(dj.Manual):
    definition = """
    -> Recording
    trial : int
    ---
    shape : longblob   # <blob@main>
    """


class Untouched(dj.Manual):
    """As programs were before there was a codec: `[declare]` says what its types become."""

    definition = """
    number : int
    ---
    traces : longblob          # raw traces
    extra = null : longblob
    log = null : attach        # log file
    inside = null : longblob   # <blob> in the row
    small = null : blob        # of another type
    """


def untouched():
    schema(Untouched)
    with open("log.txt", "wb") as file:
        file.write(b"log of 0.14")
    Untouched.insert({"number": n, "traces": value(n), "extra": value(n + 1)} for n in range(10))
    Untouched.insert1({"number": 10, "traces": value(10), "log": "log.txt", "inside": value(3), "small": value(9)})
    os.makedirs("fetched", exist_ok=True)
    rows = Untouched.fetch(as_dict=True, order_by="number", download_path="fetched")
    check_rows(rows, range(11))
    check(same(rows[3]["extra"], value(4)) and rows[10]["extra"] is None, "extra")
    check(same(rows[10]["inside"], value(3)) and same(rows[10]["small"], value(9)), "other columns")
    with open(rows[10]["log"], "rb") as file:
        check(file.read() == b"log of 0.14", "an attachment")
    Untouched.update1({"number": 4, "traces": value(5)})
    check(same((Untouched & "number = 4").fetch1("traces"), value(5)), "update1")
    Untouched.update1({"number": 4, "traces": value(4)})
    described = Untouched.describe(printout=False)
    check("longblob                     # raw traces" in described and "attach" in described and "<" not in described, described)
    Untouched.definition += "    later = null : longblob   # added\n"
    Untouched.alter(prompt=False)
    Untouched.insert1({"number": 11, "traces": value(11), "later": value(2)})
    check(same((Untouched & "number = 11").fetch1("later"), value(2)), "a column that ALTER has added")
    (Untouched & "number = 11").delete()


def declare():
    schema(Recording)
    schema(Trial)
    Recording.insert({"number": n, "note": f"note {n}", "traces": value(n)} for n in range(10))
    Recording.insert1({"number": 10, "traces": value(10), "extra": value(1), "inside": value(2), "plain": value(3)})
    Trial.insert({"number": n, "trial": t, "shape": value(n + t)} for n in range(3) for t in range(2))
    # Declared a second time, as every start of a program does.
    schema(Recording)
    fetch()


def fetch():
    schema(Recording)
    schema(Trial)
    numbers = list(range(11))
    check(len(Recording()) == 11 and bool(Recording()), "count")
    check_rows(Recording.fetch(as_dict=True, order_by="number"), numbers)
    check_rows(Recording.fetch(order_by="number DESC", limit=3, offset=1, as_dict=True), [9, 8, 7])
    array = Recording.fetch(order_by="number")
    check(all(same(array["traces"][n], value(n)) for n in numbers), "a structured array")
    traces, notes = Recording.fetch("traces", "note", order_by="number")
    check(all(same(traces[n], value(n)) for n in numbers) and notes[3] == "note 3", "attributes")
    check(same((Recording & {"number": 4}).fetch1("traces"), value(4)), "fetch1 of one attribute")
    row = (Recording & "number = 10").fetch1()
    check(same(row["extra"], value(1)) and same(row["inside"], value(2)) and same(row["plain"], value(3)), "every column")
    check((Recording & "number = 9").fetch1("extra") is None, "NULL")
    check_rows((Recording & [{"number": 1}, {"number": 3}]).fetch(as_dict=True, order_by="number"), [1, 3])
    check_rows((Recording & 'note = "note 2"').fetch(as_dict=True), [2])
    check_rows((Recording & Trial).fetch(as_dict=True, order_by="number"), [0, 1, 2])
    check_rows((Recording - Trial).fetch(as_dict=True, order_by="number", limit=2), [3, 4])
    check_rows(Recording.proj("traces").fetch(as_dict=True, order_by="number"), numbers)
    check_rows((Recording.proj("traces") & "number > 8").fetch(as_dict=True, order_by="number"), [9, 10])
    joined = (Recording * Trial & "number = 2").fetch(as_dict=True, order_by="trial")
    check(all(same(row["traces"], value(2)) and same(row["shape"], value(2 + row["trial"])) for row in joined), "join")
    check(len(joined) == 2, "join")
    counted = Recording.aggr(Trial, n="count(*)").fetch("n", order_by="number")
    check(list(counted) == [2, 2, 2], "aggr")
    check(list(Recording.fetch("KEY", order_by="number"))[:2] == [{"number": 0}, {"number": 1}], "keys")
    check({"number": 5} in Recording(), "in")
    check((Recording & "number = 1").proj(longer="length(note)").fetch1("longer") == 6, "computed")
    everything = (Recording & "number = 1").proj(..., longer="length(note)").fetch1()
    check(everything["longer"] == 6 and same(everything["traces"], value(1)), "computed beside values")
    wanted = list((Recording & "length(note) = 6").fetch("number", order_by="number"))
    derived = Recording.proj(..., longer="length(note)") & "longer = 6"
    check(len(wanted) >= 9, wanted)
    check_rows(derived.fetch(as_dict=True, order_by="number"), wanted)
    check(list((Recording.proj(..., "note") & "number < 3").fetch("number", limit=1)) == [0], "a projection")
    check(repr(Recording()) != "" and Recording().preview() != "", "preview")
    check("longblob" in Recording.describe(printout=False), "describe")
    check(Recording.heading["traces"].type == "longblob" and Recording.heading["traces"].comment == "raw traces", "heading")


def change():
    """Everything else that a program does to a table with its codec columns."""
    schema(Recording)
    schema(Trial)
    Recording.insert1({"number": 3, "traces": value(7)}, skip_duplicates=True)
    check(same((Recording & "number = 3").fetch1("traces"), value(3)), "skip_duplicates")
    Recording.insert1({"number": 9, "note": "replaced", "traces": value(9)}, replace=True)
    check((Recording & "number = 9").fetch1("note") == "replaced", "replace")
    try:
        Recording.insert1({"number": 3, "traces": value(7)})
        sys.exit("a duplicate was taken")
    except dj.errors.DuplicateError:
        pass
    Recording.update1({"number": 3, "note": "updated"})
    check((Recording & "number = 3").fetch1("note") == "updated", "update1")
    with Recording.connection.transaction:
        Recording.insert1({"number": 50, "traces": value(50)})
        check(same((Recording & "number = 50").fetch1("traces"), value(50)), "in a transaction")
    try:
        with Recording.connection.transaction:
            Recording.insert1({"number": 51, "traces": value(51)})
            raise KeyError
    except KeyError:
        pass
    check(len(Recording & "number > 50") == 0, "rolled back")
    (Recording & "number = 50").delete()
    (Recording & "number = 2").delete()
    check(len(Recording()) == 10 and len(Trial()) == 4, "delete cascades")
    Recording.insert1({"number": 2, "note": "note 2", "traces": value(2)})
    Trial.insert({"number": 2, "trial": t, "shape": value(2 + t)} for t in range(2))
    Recording.update1({"number": 3, "note": "note 3"})


def fetch_of_new():
    """Rows that 2.3.5 has inserted into the table of 0.14."""
    module = dj.create_virtual_module("module", os.environ["SCHEMA"])
    check_rows((module.Recording & "number >= 100").fetch(as_dict=True, order_by="number"), range(100, 110))


def open_core():
    """A table that 2.3.5 has declared, with core types and codecs."""
    module = dj.create_virtual_module("module", os.environ["SCHEMA"])
    core = module.Core
    rows = core.fetch(as_dict=True, order_by="number")
    check_rows(rows, [1, 2])
    first = rows[0]
    expected = {
        "number": 1, "small": -7, "large": 2**40, "ratio": 0.25, "wide": 0.1, "good": 1, "name": "ötto",
        "code": "abc", "day": datetime.date(2024, 2, 29), "at": datetime.datetime(2024, 2, 29, 1, 2, 3, 4000),
        "kind": "b", "price": decimal.Decimal("12.50"),
    }
    for name, wanted in expected.items():
        check(first[name] == wanted, f"{name}: {first[name]!r} and not {wanted!r}")
    check(first["identity"] in (uuid.UUID(int=5), uuid.UUID(int=5).bytes), f"uuid: {first['identity']!r}")
    check(same(first["inside"], value(4)) and rows[1]["inside"] is None, "an inline blob")
    core.insert1({**first, "number": 3, "traces": value(3)})
    check_rows((core & "number = 3").fetch(as_dict=True), [3])


def every_codec():
    """A table of 2.3.5 with columns of other codecs than `<blob>`; see `both_ways.py`."""
    old = dj.create_virtual_module("module", os.environ["SCHEMA"]).Old
    os.makedirs("fetched", exist_ok=True)
    rows = old.fetch(as_dict=True, order_by="number", download_path="fetched")
    check_rows(rows, range(3))
    for row in rows:
        check(same(row["grid"], grid_of(row["number"])), f"npy: {row['grid']!r}")
        check(os.path.basename(row["attached"]) == "a é.txt", row["attached"])
        with open(row["attached"], "rb") as file:
            check(file.read() == b"attached", "the attachment")
        check(row["place"] == "raw/a.bin", f"filepath: {row['place']!r}")
    with open("old file.txt", "wb") as file:
        file.write(b"attached by 0.14")
    for number in range(100, 103):
        old.insert1({
            "number": number, "traces": value(number), "grid": grid_of(number), "attached": "old file.txt", "place": "raw/a.bin",
        })
    added = (old & "number >= 100").fetch(as_dict=True, order_by="number", download_path="fetched")
    check_rows(added, range(100, 103))
    check(all(same(row["grid"], grid_of(row["number"])) for row in added), "npy of its own")
    check((old & "number = 100").fetch1("place") == "raw/a.bin", "filepath of its own")
    try:
        old.insert1({"number": 200, "traces": value(1), "grid": "no array", "attached": None, "place": None})
    except Exception as error:
        check("codec-proxy: " in str(error) and "npy" in str(error), f"refused otherwise: {error}")
    else:
        sys.exit("a text was taken for an array")
    check(len(old()) == 6, "rows")


STEPS = (declare, untouched, fetch, change, fetch_of_new, open_core, every_codec)
{f.__name__: f for f in STEPS}[sys.argv[1]]()
