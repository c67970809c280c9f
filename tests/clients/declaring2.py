"""DataJoint 2.3.5 reads directly what 0.14 has declared through a proxy with `[declare]`.

DJ_HOST, DJ_PORT, DJ_USER, DJ_PASS and DJ_STORES are read by DataJoint itself; SCHEMA is ours.
"""

import os
import sys
import warnings

import datajoint as dj
from common import check, check_rows, same, value

# "MariaDB is not supported" is known.
warnings.simplefilter("ignore")
module = dj.VirtualModule("module", os.environ["SCHEMA"])


def read(longblob, attach):
    """The types that the proxy was told to declare, and the values."""
    scan = module.Scan
    for name, wanted in {"traces": longblob, "more": longblob, "tagged": "<blob>", "file": attach}.items():
        attribute = scan.heading[name]
        check(attribute.codec is not None, f"{name} has no codec: {attribute}")
        store = "" if attribute.store is None else f"@{attribute.store}"
        check(f"<{attribute.codec.name}{store}>" == wanted, f"{name} is {attribute.codec.name}{store}")
    check(scan.heading["traces"].comment == "raw traces", scan.heading["traces"].comment)
    check_rows(scan.proj("traces").to_dicts(order_by="number"), range(3))
    check_rows(module.Sum.to_dicts(order_by="number"), range(3), "total")
    with open((scan & "number = 0").fetch1("file")) as file:
        check(file.read() == "content", "the attachment")


def altered():
    """After the old program's alter."""
    core = module.Core
    check(core.heading["traces"].comment == "other words", core.heading["traces"].comment)
    check(core.heading["name"].type == "varchar(30)", core.heading["name"].type)
    check(core.heading["number"].original_type in ("int32", None), core.heading["number"])
    row = (core & "number = 3").fetch1()
    check(same(row["traces"], value(3)) and same(row["extra"], value(4)), "values")
    check("int32" in core.describe() and "varchar(30)" in core.describe(), core.describe())


step, *arguments = sys.argv[1:]
{f.__name__: f for f in (read, altered)}[step](*arguments)
