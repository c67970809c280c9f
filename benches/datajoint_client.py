"""A DataJoint program of either version, for row (f); run by the Python of that version.

It declares one table, says `ready`, and obeys `insert` (fresh random arrays), `fetch` (all, compared with what was
inserted) and `clear`. Each answers with the seconds the call took and the CPU seconds this process used in it.
"""

import argparse
import json
import sys
import time
import warnings

import datajoint as dj
import numpy as np

# 2.3.5 runs the codec itself; 0.14 knows none, so it sends bytes and leaves the codec to the proxy.
DEFINITIONS = {"0": "traces : longblob  # <blob@main> raw traces", "2": "traces : <blob@main>  # raw traces"}


def main():
    arguments = parse_arguments()
    warnings.simplefilter("ignore")
    dj.config["loglevel"] = "ERROR"
    dj.logger.setLevel("ERROR")
    for key in ("host", "port", "user", "password"):
        dj.config[f"database.{key}"] = getattr(arguments, key)
    major = dj.__version__.split(".")[0]

    @dj.Schema(arguments.schema)
    class Recording(dj.Manual):
        definition = f"id : int\n---\n{DEFINITIONS[major]}"

    table, random, rows = Recording(), np.random.default_rng(), []
    print("ready", flush=True)
    for order in map(str.strip, sys.stdin):
        if order == "insert":
            # Random bytes, so that packing cannot make them smaller: as many bytes are stored.
            arrays = random.integers(0, 256, (arguments.rows, arguments.size), dtype=np.uint8)
            rows = [{"id": id, "traces": array} for id, array in enumerate(arrays)]
            answer(lambda: table.insert(rows))
        elif order == "fetch":
            fetched = answer(lambda: table.fetch("traces", order_by="id"))
            if len(fetched) != len(rows) or not all(np.array_equal(a, row["traces"]) for a, row in zip(fetched, rows)):
                sys.exit("what was fetched is not what was inserted")
        elif order == "clear":
            answer(table.delete_quick)
        else:
            sys.exit(f"unknown order {order}")


def parse_arguments():
    parser = argparse.ArgumentParser()
    for name in ("host", "user", "password", "schema"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("port", "rows", "size"):
        parser.add_argument(f"--{name}", required=True, type=int)
    return parser.parse_args()


def answer(work):
    begin, cpu = time.perf_counter(), time.process_time()
    result = work()
    print(json.dumps({"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu}), flush=True)
    return result


main()
