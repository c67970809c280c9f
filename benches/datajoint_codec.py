"""A DataJoint 2 program with a codec of its own, for row (l); run by the Python of the environment that has the codec.

It writes a value to a file as other clients send it, declares one table, says `ready`, and obeys `insert N` and
`select N`: N times all values of a statement, inserted in one call or fetched in one. It answers with the number done
and the seconds they took.
"""

import argparse
import json
import pathlib
import random
import sys
import time
import warnings

import datajoint as dj
import networkx as nx
import numpy as np
from datajoint import blob


def spike_train(size):
    """Times in ascending order that take so many bytes, and the same for clients; what is kept of them is near."""
    times = np.sort(np.random.default_rng(7).uniform(0, 1000, size // 8))
    return times, times, lambda fetched: np.allclose(fetched, times, atol=0.1)


def graph(size):
    """A graph of so many nodes and twice as many edges, and what clients send for one."""
    made = nx.gnm_random_graph(size, 2 * size, seed=7)
    for a, b, data in made.edges(data=True):
        data["weight"] = random.random()
    told = {"@type": "networkx.Graph", "nodes": list(made.nodes), "edges": [[a, b, d] for a, b, d in made.edges(data=True)]}
    return made, told, lambda fetched: nx.utils.graphs_equal(fetched, made)


def main():
    arguments = parse_arguments()
    warnings.simplefilter("ignore")
    dj.logger.setLevel("ERROR")
    dj.config["database.host"] = "127.0.0.1"
    dj.config["database.port"] = arguments.port
    dj.config["database.user"] = dj.config["database.password"] = arguments.account
    value, told, is_right = {"spike_train": spike_train, "graph": graph}[arguments.codec](arguments.size)
    arguments.write.write_bytes(blob.pack(told, compress=False))

    @dj.Schema(arguments.schema)
    class Value(dj.Manual):
        definition = f"id : int64\n---\ndata : <{arguments.codec}>"

    table, count, next_id = Value(), arguments.values, 0
    first = table & f"id < {count}"
    print("ready", flush=True)
    for order in map(str.split, sys.stdin):
        verb, units = order[0], int(order[1])
        begin = time.perf_counter()
        for _ in range(units):
            if verb == "insert":
                table.insert([{"id": next_id + at, "data": value} for at in range(count)])
                next_id += count
            else:
                # Not to_arrays(), which makes an array of a graph's nodes.
                fetched = [row["data"] for row in first.to_dicts()]
        seconds = time.perf_counter() - begin
        if verb == "select" and not (len(fetched) == count and is_right(fetched[0])):
            sys.exit("what was fetched is not what was inserted")
        print(json.dumps({"units": units, "seconds": seconds}), flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser()
    for name in ("account", "schema", "codec"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("port", "size", "values"):
        parser.add_argument(f"--{name}", required=True, type=int)
    parser.add_argument("--write", required=True, type=pathlib.Path)
    return parser.parse_args()


main()
