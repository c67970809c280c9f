"""DataJoint 0.14 and codecs that are not built in: python own_codecs_old.py write|read.

HOST, PORT, USER, PASSWORD and SCHEMA come from the environment. Its columns are plain `longblob`s to it.
"""

import os
import sys

import datajoint as dj
import numpy as np
from common import check, same

dj.config["database.host"] = os.environ["HOST"]
dj.config["database.port"] = int(os.environ["PORT"])
dj.config["database.user"] = os.environ["USER"]
dj.config["database.password"] = os.environ["PASSWORD"]
dj.config["database.use_tls"] = False
dj.config["enable_python_native_blobs"] = True
schema = dj.Schema(os.environ["SCHEMA"], context=globals())


@schema
class Recording(dj.Manual):
    definition = """
    number : int
    ---
    times : longblob           # <spike_train@main> in seconds
    notes = null : longblob    # <zjson> of the day
    grid = null : longblob     # <csv@main>
    """


TIMES = np.array([0.5, 0.75, 2.0, 2.0])
NOTES = {"who": "ä", "list": [1, 2.5, None]}
GRID = np.arange(6.0).reshape(3, 2) / 7

if sys.argv[1] == "write":
    Recording.insert1({"number": 1, "times": TIMES, "notes": NOTES, "grid": GRID})
    Recording.insert1({"number": 2, "times": TIMES[:0]})
    for wrong, text in [
        ([1.0, 2.0], "Expected numpy array of spike times"),
        (TIMES.reshape(2, 2), "Spike train must be 1-dimensional"),
        (TIMES[::-1], "Spike times must be sorted"),
    ]:
        try:
            Recording.insert1({"number": 3, "times": wrong})
        except Exception as error:
            check(text in str(error) and "times" in str(error), f"{error}")
        else:
            check(False, f"{wrong} was taken")
else:
    row = (Recording & "number = 1").fetch1()
    check(same(row["times"], TIMES), row)
    check(same(row["notes"], NOTES), row)
    check(same(row["grid"], GRID), row)
    row = (Recording & "number = 2").fetch1()
    check(same(row["times"], TIMES[:0]) and row["notes"] is None and row["grid"] is None, row)
    check(len(Recording()) == 2, len(Recording()))
