"""Values of the codecs in tests/packages, as clients of the proxy send and get them: plain ones, and
dicts with an "@type" for what DataJoint cannot pack.

Shared by programs of both DataJoint generations.
"""

import numpy as np


def graph(nodes, edges, kind="networkx.Graph"):
    return {
        "@type": kind,
        "graph": {},
        "nodes": [[node, attributes] for node, attributes in nodes],
        "edges": [[a, b, attributes] for a, b, attributes in edges],
    }


def frame(columns, dtypes, **index):
    return {"@type": "pandas.DataFrame", "columns": columns, "dtypes": dtypes, **index}


GRAPHS = [
    graph([], []),
    graph([(1, {}), (2, {}), (3, {})], [(1, 2, {}), (2, 3, {})]),
    graph(
        [("soma", {"at": [0.5, 1.5], "kind": "pyramidal"}), ("é'\"\\", {}), (7, {"trace": np.arange(3.0)})],
        [("soma", 7, {"delay": 2.5, "tags": ["a", None]})],
    ),
]
# Nodes of large graphs come back in their order, and so do their edges.
LARGE = graph([(n, {"x": n / 8}) for n in range(300)], [(n, n + 1, {"weight": n}) for n in range(299)])

VALUES = {
    "graph": [*GRAPHS, LARGE],
    "weighted_graph": [
        graph([("a", {}), ("b", {}), ("c", {})], [("a", "b", {"weight": 0.25}), ("b", "c", {"weight": -1.0})]),
        graph([(1, {})], []),
    ],
    "zjson": [
        {"list": [1, 2.5, None, True, "é✓😀"], "nested": {"deep": [[]]}},
        [],
        "text",
        12,
        {"long": list(range(2000))},
    ],
    "spike_train": [np.array([0.0, 0.5, 0.75, 8.0, 1024.125]), np.array([], float), np.array([3.25])],
    "config": [
        {"version": 1, "settings": {}},
        {"version": 12, "settings": {"gain": 2.5, "names": ["é", 'quote"d', "back\\slash"], "none": None}},
        # Longer than what describes an object ever is.
        {"version": 2, "settings": {"table": ["a line of a long table"] * 5000}},
    ],
    "versioned": [[1, 2, 3], "abc", {"a": 1, "b": 2}, np.arange(4.0)],
    "outline": ["one\n\ttwo\n\t\tthree é\n\n\ttwo again", "", "x" * 3000],
    "archived": ["to be kept", "", "é✓"],
    "duration": [1.5, 0.0, -86400.25],
    "parquet": [
        frame(
            {
                "count": np.array([1, -2, 3]),
                "ratio": np.array([0.5, 1e300, -0.0]),
                "good": np.array([True, False, True]),
                "name": ["a", "é✓", ""],
                "at": np.array(["2024-02-29T01:02:03.000004", "1970-01-01", "2100-01-01"], "datetime64[us]"),
            },
            {"count": "int64", "ratio": "float64", "good": "bool", "name": "str", "at": "datetime64[us]"},
        ),
        frame(
            {"small": np.arange(1000, dtype="int16"), "single": np.linspace(0, 1, 1000, dtype="float32")},
            {"small": "int16", "single": "float32"},
        ),
    ],
    "zarr": [np.arange(12.0).reshape(3, 4), np.zeros((0, 2), "int32"), np.arange(60_000, dtype="int16").reshape(300, 200)],
}

# What a person types at the mysql prompt, and the value that is meant.
TYPED = {
    "graph": (
        '{"@type": "networkx.Graph", "nodes": [1, "it\'s"], "edges": [[1, "it\'s"]]}',
        graph([(1, {}), ("it's", {})], [(1, "it's", {})]),
    ),
    "weighted_graph": (
        '{"@type": "networkx.Graph", "edges": [["a", "b", {"weight": 2.5}]]}',
        graph([("a", {}), ("b", {})], [("a", "b", {"weight": 2.5})]),
    ),
    "zjson": ('{"a": [1, 2.5, null, "é"]}', {"a": [1, 2.5, None, "é"]}),
    "spike_train": ('{"$array": "float64", "value": [0.5, 1.25, 7.0]}', np.array([0.5, 1.25, 7.0])),
    "config": ('{"settings": {"gain": 0.5}, "version": 3}', {"settings": {"gain": 0.5}, "version": 3}),
    "versioned": ('[1, "two"]', [1, "two"]),
    "outline": ('"one\\n\\ttwo"', "one\n\ttwo"),
    "archived": ('"typed"', "typed"),
    "duration": ("2.25", 2.25),
    "parquet": (
        '{"@type": "pandas.DataFrame", "columns": {"a": [1, 2], "b": ["x", "y"]}}',
        frame({"a": np.array([1, 2]), "b": ["x", "y"]}, {"a": "int64", "b": "str"}),
    ),
    "zarr": (
        '{"@type": "zarr.Array", "data": {"$array": "int16", "value": [[1, 2], [3, 4]]}}',
        np.array([[1, 2], [3, 4]], "int16"),
    ),
}

# Where a column of each codec may keep its values.
COLUMNS = {
    "graph": ["graph", "graph@main"],
    "weighted_graph": ["weighted_graph", "weighted_graph@main"],
    "zjson": ["zjson", "zjson@main"],
    "spike_train": ["spike_train", "spike_train@main"],
    "config": ["config"],
    "versioned": ["versioned", "versioned@main"],
    "model": ["model", "model@main", "model@cold"],
    "outline": ["outline", "outline@main"],
    "archived": ["archived", "archived@main"],
    "duration": ["duration"],
    "parquet": ["parquet@main", "parquet@cold"],
    "zarr": ["zarr@main", "zarr@cold"],
}
