"""DataJoint 0.14 on a proxy with `[declare]`: python declaring0.py STEP.

HOST, PORT, USER, PASSWORD and SCHEMA come from the environment.
"""

import os
import sys

import datajoint as dj
from common import check, check_rows, value

dj.config["database.host"] = os.environ["HOST"]
dj.config["database.port"] = int(os.environ["PORT"])
dj.config["database.user"] = os.environ["USER"]
dj.config["database.password"] = os.environ["PASSWORD"]
dj.config["database.use_tls"] = False
dj.config["safemode"] = False
dj.config["enable_python_native_blobs"] = True


def schema():
    return dj.Schema(os.environ["SCHEMA"], context=globals())


class Scan(dj.Manual):
    definition = """  # an old program that nobody may touch
    number : int
    ---
    traces : longblob             # raw traces
    more = null : longblob
    tagged = null : longblob      # <blob> in the row
    file = null : attach          # a file
    """


class Sum(dj.Computed):
    definition = """
    -> Scan
    ---
    total : longblob
    """

    def make(self, key):
        self.insert1({**key, "total": (Scan & key).fetch1("traces")})


def declare():
    schema()(Scan)
    schema()(Sum)
    with open("a file.txt", "w") as file:
        file.write("content")
    Scan.insert({"number": n, "traces": value(n), "file": "a file.txt"} for n in range(3))
    Sum.populate(reserve_jobs=True)
    fetch()


def fetch():
    schema()(Scan)
    schema()(Sum)
    os.makedirs("fetched", exist_ok=True)
    rows = Scan.fetch(as_dict=True, order_by="number", download_path="fetched")
    check_rows(rows, range(3))
    with open(rows[0]["file"]) as file:
        check(file.read() == "content", rows[0]["file"])
    check_rows(Sum.fetch(as_dict=True, order_by="number"), range(3), "total")
    # The same table once more, and no jobs left behind.
    check(len(dj.Schema(os.environ["SCHEMA"]).jobs) == 0, "jobs")


def alter():
    """Opens, describes and alters a table that 2.3.5 has declared."""
    core = dj.create_virtual_module("module", os.environ["SCHEMA"]).Core
    described = core.describe(printout=False)
    for line in ("number               : int", "name                 : varchar(20)", "identity             : uuid", "traces               : longblob"):
        check(line in described, described)
    check("<" not in described and ":int32" not in described, described)

    class Core(dj.Manual):
        definition = described.replace("# raw traces", "# other words").replace("varchar(20)", "varchar(30)") + "    extra = null : longblob  # <blob@main> new\n"

    schema()(Core)
    Core().alter(prompt=False)
    rows = core.fetch(as_dict=True, order_by="number")
    check_rows(rows, [1, 2])
    Core.insert1({**rows[0], "number": 3, "traces": value(3), "extra": value(4)})
    check_rows((Core & "number = 3").fetch(as_dict=True), [3])


{f.__name__: f for f in (declare, fetch, alter)}[sys.argv[1]]()
