"""The codecs of tests/packages, used by DataJoint 0.14 through the `bytes` listener: python
packages_old.py STEP. See dj0.py for the environment.

None of the packages is installed here: a graph is a dict.
"""

import os
import sys

import datajoint as dj
import numpy as np
from common import check, same
from plain_values import COLUMNS, TYPED, VALUES

dj.config["database.host"] = os.environ["HOST"]
dj.config["database.port"] = int(os.environ["PORT"])
dj.config["database.user"] = os.environ["USER"]
dj.config["database.password"] = os.environ["PASSWORD"]
dj.config["safemode"] = False
dj.config["enable_python_native_blobs"] = True
schema = dj.Schema(os.environ["SCHEMA"], context=globals())


class Experiment(dj.Manual):
    definition = """
    number : int
    ---
    network = null  : longblob   # <graph@main> network of 0.14
    results = null  : longblob   # <parquet@main> results of 0.14
    image = null    : longblob   # <zarr@main> image of 0.14
    settings = null : longblob   # <config> settings of 0.14
    """


CODECS = {"network": "graph", "results": "parquet", "image": "zarr", "settings": "config"}


def sent_for(codec, value):
    return {"@type": "zarr.Array", "data": value} if codec == "zarr" else value


def told(found, codec, value):
    """Whether a fetched value is the one expected; models are judged by who has their classes."""
    if codec == "zarr":
        return found["@type"] == "zarr.Array" and same(found["data"], value)
    if codec == "model":
        return found["@type"] == "pickle" and found["class"] == "lab_values.model.Threshold"
    return same(found, value)


def copy():
    """Reads what 2.3.5 has written, writes it again, and writes values of its own."""
    module = dj.create_virtual_module("module", os.environ["SCHEMA"])
    for codec in COLUMNS:
        table = getattr(module, codec.title().replace("_", ""))
        columns = table.heading.secondary_attributes
        rows = table.fetch(as_dict=True, order_by="number")
        for row, value in zip(rows, VALUES.get(codec, [None] * len(rows))):
            for column in columns:
                check(told(row[column], codec, value), f"{codec}.{column}: {row[column]!r:.500} and not {value!r:.500}")
        table.insert({**row, "number": 500 + row["number"]} for row in rows)
        if codec == "model":
            last = dict(rows[0])
        else:
            last = {column: sent_for(codec, TYPED[codec][1]) for column in columns}
        table.insert1({**last, "number": 600, "schema_version": 2})


def declared():
    schema(Experiment)
    row = {column: sent_for(codec, VALUES[codec][1]) for column, codec in CODECS.items()}
    Experiment.insert1({"number": 1, **row})
    fetched = Experiment.fetch1()
    for column, codec in CODECS.items():
        check(told(fetched[column], codec, VALUES[codec][1]), f"{column}: {fetched[column]!r:.500}")
    check("longblob" in Experiment.describe(printout=False), "it sees what it has declared")
    try:
        Experiment.insert1({"number": 2, "network": np.arange(3)})
    except Exception as error:
        check("<graph>: TypeError: expected a networkx Graph, got ndarray" in str(error), f"refused otherwise: {error}")
    else:
        sys.exit("an array was taken for a graph")
    check(len(Experiment()) == 1, "rows")


def fetch_new():
    """The row that 2.3.5 has added."""
    schema(Experiment)
    fetched = (Experiment & "number = 2").fetch1()
    for column, codec in CODECS.items():
        check(told(fetched[column], codec, VALUES[codec][0]), f"{column}: {fetched[column]!r:.500}")


{f.__name__: f for f in (copy, declared, fetch_new)}[sys.argv[1]]()
