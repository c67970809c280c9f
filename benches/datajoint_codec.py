"""A DataJoint 2 program with a codec of its own, for row (l); run by the Python of the environment that has the codec.

It declares one table, says `ready`, and obeys `insert N` and `select N`: N times all values of a statement, inserted in
one call or fetched in one. It answers with the number done and the seconds they took.
"""

import argparse
import json
import pathlib
import sys
import time
import warnings

import datajoint as dj
import numpy as np
from datajoint import blob


def main():
    arguments = parse_arguments()
    warnings.simplefilter("ignore")
    dj.logger.setLevel("ERROR")
    dj.config["database.host"] = "127.0.0.1"
    dj.config["database.port"] = arguments.port
    dj.config["database.user"] = dj.config["database.password"] = arguments.account
    dj.config["safemode"] = False

    @dj.Schema(f"python_alone_{arguments.values}")
    class Spikes(dj.Manual):
        definition = "id : int64\n---\ndata : <spike_train>"

    value = blob.unpack(arguments.value.read_bytes())
    count, table, next_id = arguments.values, Spikes(), 0
    first = Spikes() & f"id < {count}"
    print("ready", flush=True)
    for order in map(str.split, sys.stdin):
        verb, units = order[0], int(order[1])
        begin = time.perf_counter()
        for _ in range(units):
            if verb == "insert":
                table.insert([{"id": next_id + at, "data": value} for at in range(count)])
                next_id += count
            else:
                fetched = first.to_arrays("data")
        seconds = time.perf_counter() - begin
        # What its codec keeps is float32, so it is near.
        if verb == "select" and not (len(fetched) == count and np.allclose(fetched[0], value, atol=0.1)):
            sys.exit("what was fetched is not what was inserted")
        print(json.dumps({"units": units, "seconds": seconds}), flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser()
    for name in ("port", "values"):
        parser.add_argument(f"--{name}", required=True, type=int)
    parser.add_argument("--account", required=True)
    parser.add_argument("--value", required=True, type=pathlib.Path)
    return parser.parse_args()


main()
