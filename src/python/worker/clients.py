"""What a client sends and gets for objects that no blob can hold.

Such an object is a dict with its kind under "@type", which may stand anywhere in lists, tuples and
dicts. `to_plain` and `to_object` are each other's inverse: what a client reads and writes back is
an equal object, or `to_plain` raises.

    {"@type": "networkx.Graph", "graph": {}, "nodes": [[n, {}], ...], "edges": [[u, v, {}], ...]}
        also DiGraph, MultiGraph and MultiDiGraph (edges [u, v, key, {}]); taken, too: bare nodes,
        edges without attributes, no "graph" and no "nodes"
    {"@type": "pandas.DataFrame", "columns": {"a": [1, 2]}, "dtypes": {"a": "int64"}}
        and "index", "index_dtype", "index_names", "attrs" where it has such; labels that are no
        unique strings: "columns" is a list of [label, values], "dtypes" a list; taken, too: only
        "columns"
    {"@type": "pandas.Series", "name": "a", "values": [1, 2], "dtype": "int64"}
    {"@type": "zarr.Array", "data": array, "chunks": [10], "fill_value": 0, "attributes": {}}
        taken, too: only "data"
    {"@type": "zarr.Group", "members": {"name": ...}, "attributes": {}}
    {"@type": "pickle", "class": "package.Class", "data": bytes}
        anything else, and only where the operator allows pickle
    {"@type": "dict", "items": [[key, value], ...]}
        a dict that looks like one of these and is none

A codec that knows better has the methods `from_client(plain)`, for the object that `validate` and
`encode` get, and `to_client(value)`, for what `decode` returned.
"""

import datetime
import decimal
import importlib
import pickle
import sys
import uuid

import numpy as np
from datajoint.blob import MatCell, MatStruct
from datajoint.objectref import ObjectRef

TAG = "@type"

# What a blob holds as it is.
ATOMS = (
    type(None), bool, int, float, complex, str, bytes, bytearray,
    decimal.Decimal, datetime.date, datetime.time, uuid.UUID,
    np.ndarray, np.generic, MatCell, MatStruct,
)  # fmt: skip

GRAPHS = ("Graph", "DiGraph", "MultiGraph", "MultiDiGraph")


def to_plain(value, allow_pickle):
    """What the client gets for a value."""

    def plain(value):
        kind = type(value)
        if kind is dict:
            pairs = [(plain(key), plain(item)) for key, item in value.items()]
            if isinstance(value.get(TAG), str) and value[TAG] in TAKEN:
                return {TAG: "dict", "items": [list(pair) for pair in pairs]}
            return dict(pairs)
        if kind in (list, tuple, set):
            return kind(plain(item) for item in value)
        if kind is frozenset:
            return {plain(item) for item in value}
        if kind in ATOMS:
            return value
        tagged = known(value, plain)
        if tagged is not None:
            return tagged
        if isinstance(value, ATOMS):
            return value
        for base in (dict, list, tuple):
            # Kinds of one's own, such as an OrderedDict or a namedtuple.
            if isinstance(value, base):
                return plain(base(value))
        # A reference that is read when somebody asks for it, such as DataJoint's NpyRef.
        load = getattr(value, "load", None)
        if callable(load) and not isinstance(value, type):
            try:
                return plain(load())
            except TypeError:
                pass
        name = f"{kind.__module__}.{kind.__qualname__}"
        if not allow_pickle:
            raise TypeError(
                f"{name} can be sent to a client only as a pickle, which [codecs.python] "
                "allow_pickle permits, or by a method to_client of the codec"
            )
        data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
        return {TAG: "pickle", "class": name, "data": data}

    return plain(value)


def known(value, plain):
    """The tagged form of a kind that is known here; None for any other."""
    if isinstance(value, ObjectRef):
        if not value.is_dir:
            return value.read()
        files = {}
        for folder, _, names in value.walk():
            for name in names:
                path = f"{folder}/{name}" if folder else name
                with value.open(path) as file:
                    files[path] = file.read()
        return files
    networkx, pandas, zarr = (sys.modules.get(name) for name in ("networkx", "pandas", "zarr"))
    if networkx:
        for name in GRAPHS:
            if type(value) is getattr(networkx, name):
                return from_graph(name, value, plain)
    if pandas:
        if type(value) is pandas.DataFrame:
            return from_frame(pandas, value, plain)
        if type(value) is pandas.Series:
            return from_series(pandas, value, plain)
    if zarr:
        if isinstance(value, zarr.Array):
            return from_zarr(value, plain)
        if isinstance(value, zarr.Group):
            members = {name: plain(member) for name, member in value.members()} if hasattr(
                value, "members"
            ) else {name: plain(value[name]) for name in value}
            return {
                TAG: "zarr.Group",
                "members": members,
                "attributes": plain(dict(value.attrs)),
            }
    return None


def to_object(value, allow_pickle):
    """The value that a client has sent."""

    def read(value):
        kind = type(value)
        if kind is dict:
            tag = value.get(TAG)
            if isinstance(tag, str) and tag in TAKEN:
                if tag == "pickle" and not allow_pickle:
                    raise PermissionError(
                        "pickled objects are not loaded: [codecs.python] allow_pickle is false"
                    )
                return TAKEN[tag](value, read)
            return {read(key): read(item) for key, item in value.items()}
        if kind in (list, tuple, set):
            return kind(read(item) for item in value)
        return value

    return read(value)


def fields(value, known):
    """Refuses keys that nobody would read."""
    unknown = set(value) - set(known) - {TAG}
    if unknown:
        raise ValueError(f"{value[TAG]} has no {sorted(map(str, unknown))[0]!r}")


# Graphs


def from_graph(name, graph, plain):
    multi = graph.is_multigraph()
    edges = graph.edges(keys=True, data=True) if multi else graph.edges(data=True)
    return {
        TAG: f"networkx.{name}",
        "graph": plain(dict(graph.graph)),
        "nodes": [[plain(node), plain(dict(data))] for node, data in graph.nodes(data=True)],
        "edges": [[*map(plain, edge[:-1]), plain(dict(edge[-1]))] for edge in edges],
    }


def to_graph(value, read):
    fields(value, ("graph", "nodes", "edges"))
    networkx = importlib.import_module("networkx")
    graph = getattr(networkx, value[TAG].partition(".")[2])()
    graph.graph.update(read(value.get("graph", {})))
    for node in value.get("nodes", ()):
        pair = isinstance(node, (list, tuple)) and len(node) == 2 and isinstance(node[1], dict)
        node, data = node if pair else (node, {})
        graph.add_node(hashable(read(node)), **read(data))
    for edge in value.get("edges", ()):
        *ends, data = edge if isinstance(edge[-1], dict) else (*edge, {})
        if len(ends) not in ((2, 3) if graph.is_multigraph() else (2,)):
            raise ValueError(f"an edge of a {value[TAG]} has {len(ends)} parts")
        source, target, *key = (hashable(read(end)) for end in ends)
        graph.add_edge(source, target, *key, **read(data))
    return graph


def hashable(value):
    """JSON has no tuples: a list where only a tuple can be is one."""
    return tuple(map(hashable, value)) if isinstance(value, list) else value


# Frames


def from_frame(pandas, frame, plain):
    labels = list(frame.columns)
    parts = [from_column(pandas, frame.iloc[:, at], plain) for at in range(len(labels))]
    simple = (
        type(frame.columns) is pandas.Index
        and frame.columns.name is None
        and len(set(labels)) == len(labels)
        and all(type(label) is str for label in labels)
    )
    if simple or not labels:
        columns = {label: values for label, (values, _) in zip(labels, parts)}
        dtypes = {label: dtype for label, (_, dtype) in zip(labels, parts)}
    else:
        columns = [[plain(label), values] for label, (values, _) in zip(labels, parts)]
        dtypes = [dtype for _, dtype in parts]
    value = {TAG: "pandas.DataFrame", "columns": columns, "dtypes": dtypes}
    value.update(from_index(pandas, frame.index, plain))
    if not simple and any(name is not None for name in frame.columns.names):
        value["column_names"] = list(frame.columns.names)
    if frame.attrs:
        value["attrs"] = plain(dict(frame.attrs))
    return checked(value, frame, plain)


def from_series(pandas, series, plain):
    values, dtype = from_column(pandas, series, plain)
    value = {TAG: "pandas.Series", "name": plain(series.name), "values": values, "dtype": dtype}
    value.update(from_index(pandas, series.index, plain))
    return checked(value, series, plain)


def checked(value, original, plain):
    """Refuses what would come back as something else."""
    back = TAKEN[value[TAG]](value, lambda value: to_object(value, False))
    same = back.equals(original) and back.index.names == original.index.names
    if same and hasattr(original, "columns"):
        same = back.columns.equals(original.columns) and list(back.dtypes) == list(original.dtypes)
    if not same:
        raise TypeError(f"this {value[TAG]} has columns or an index that cannot be sent to a client")
    return value


def from_column(pandas, series, plain):
    """Values and dtype of a column, so that `to_column` has it again."""
    dtype = series.dtype
    if isinstance(dtype, pandas.CategoricalDtype):
        values = [None if code < 0 else code for code in map(int, series.cat.codes)]
        categories = [plain(item) for item in dtype.categories.tolist()]
        named = {
            "categories": categories,
            "categories_dtype": str(dtype.categories.dtype),
            "ordered": bool(dtype.ordered),
        }
        return [None if at is None else categories[at] for at in values], named
    if isinstance(dtype, pandas.DatetimeTZDtype):
        return series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(), str(dtype)
    if isinstance(dtype, np.dtype) and dtype.kind in "biufc" and dtype.str[1:] != "f2":
        if dtype.itemsize <= (16 if dtype.kind == "c" else 8):
            return series.to_numpy(), dtype.name
    if isinstance(dtype, np.dtype) and dtype.kind == "M":
        return series.to_numpy(), dtype.name
    if isinstance(dtype, np.dtype) and dtype.kind == "m":
        return series.to_numpy().view("int64"), dtype.name
    missing = series.isna() if not isinstance(dtype, np.dtype) else None
    items = series.tolist()
    if missing is not None:
        items = [None if gone else item for gone, item in zip(missing, items)]
    return [plain(item) for item in items], str(dtype)


def to_column(pandas, values, dtype, read):
    if dtype is None:
        return pandas.Series(values if isinstance(values, np.ndarray) else read(values))
    if isinstance(dtype, dict):
        categories = pandas.Index(read(dtype["categories"]), dtype=dtype.get("categories_dtype"))
        dtype = pandas.CategoricalDtype(categories, ordered=bool(dtype.get("ordered")))
        return pandas.Series(pandas.Categorical(read(values), dtype=dtype))
    if dtype.startswith("datetime64[") and "," in dtype:
        zone = dtype.partition(",")[2].strip().rstrip("]")
        series = pandas.Series(np.asarray(values))
        return series.dt.tz_localize("UTC").dt.tz_convert(zone).astype(dtype)
    if dtype.startswith("timedelta64") and isinstance(values, np.ndarray):
        return pandas.Series(values.astype("int64").view(dtype))
    if not isinstance(values, np.ndarray):
        values = read(values)
        if dtype == "object":
            items = np.empty(len(values), dtype=object)
            items[:] = values
            values = items
    return pandas.Series(values, dtype=dtype)


def from_index(pandas, index, plain):
    found = {}
    if any(name is not None for name in index.names):
        found["index_names"] = [plain(name) for name in index.names]
    if isinstance(index, pandas.MultiIndex):
        found["index"] = [plain(item) for item in index.tolist()]
        found["index_dtype"] = "multi"
    elif not (isinstance(index, pandas.RangeIndex) and index.start == 0 and index.step == 1):
        found["index"], found["index_dtype"] = from_column(pandas, index.to_series(), plain)
    return found


def to_index(pandas, value, read, length):
    names = read(value.get("index_names"))
    if "index" not in value:
        return pandas.RangeIndex(length, name=names[0] if names else None)
    dtype = value.get("index_dtype")
    if dtype == "multi":
        items = [tuple(read(item)) for item in value["index"]]
        return pandas.MultiIndex.from_tuples(items, names=names)
    column = to_column(pandas, value["index"], dtype, read)
    return pandas.Index(column, name=names[0] if names else None)


def to_frame(value, read):
    known = ("columns", "dtypes", "index", "index_dtype", "index_names", "column_names", "attrs")
    fields(value, known)
    pandas = importlib.import_module("pandas")
    columns = value["columns"]
    pairs = list(columns.items()) if isinstance(columns, dict) else [tuple(c) for c in columns]
    dtypes = value.get("dtypes") or [None] * len(pairs)
    if isinstance(dtypes, dict):
        dtypes = [dtypes.get(label) for label, _ in pairs]
    made = [to_column(pandas, v, dtype, read) for (_, v), dtype in zip(pairs, dtypes)]
    lengths = {len(column) for column in made}
    if len(lengths) > 1:
        raise ValueError("the columns of a pandas.DataFrame have different lengths")
    length = lengths.pop() if lengths else len(value.get("index", ()))
    index = to_index(pandas, value, read, length)
    labels = [hashable(read(label)) for label, _ in pairs]
    if made:
        frame = pandas.concat(made, axis=1)
        frame.index = index
        if all(type(label) is tuple for label in labels):
            frame.columns = pandas.MultiIndex.from_tuples(labels)
        else:
            frame.columns = labels
    else:
        frame = pandas.DataFrame(index=index)
    if value.get("column_names"):
        frame.columns.names = value["column_names"]
    frame.attrs.update(read(value.get("attrs", {})))
    return frame


def to_series(value, read):
    fields(value, ("name", "values", "dtype", "index", "index_dtype", "index_names"))
    pandas = importlib.import_module("pandas")
    series = to_column(pandas, value["values"], value.get("dtype"), read)
    series.index = to_index(pandas, value, read, len(series))
    series.name = hashable(read(value.get("name")))
    return series


# Zarr


def from_zarr(array, plain):
    return {
        TAG: "zarr.Array",
        "data": np.asarray(array[...]),
        "chunks": list(array.chunks),
        "fill_value": array.fill_value,
        "attributes": plain(dict(array.attrs)),
    }


def to_zarr(value, read):
    fields(value, ("data", "chunks", "fill_value", "attributes"))
    zarr = importlib.import_module("zarr")
    data = np.asarray(value["data"])
    given = {}
    if value.get("chunks"):
        given["chunks"] = tuple(int(length) for length in value["chunks"])
    if value.get("fill_value") is not None:
        given["fill_value"] = data.dtype.type(value["fill_value"])
    array = zarr.array(data, **given)
    array.attrs.update(read(value.get("attributes", {})))
    return array


def to_group(value, read):
    fields(value, ("members", "attributes"))
    zarr = importlib.import_module("zarr")
    group = zarr.group()
    fill_group(group, value, read)
    return group


def fill_group(group, value, read):
    group.attrs.update(read(value.get("attributes", {})))
    for name, member in value.get("members", {}).items():
        if isinstance(member, dict) and member.get(TAG) == "zarr.Group":
            fill_group(group.create_group(name), member, read)
            continue
        made = to_zarr(member, read)
        copy = group.create_array(
            name, shape=made.shape, dtype=made.dtype, chunks=made.chunks, fill_value=made.fill_value
        )
        copy[...] = made[...]
        copy.attrs.update(dict(made.attrs))


def to_unpickled(value, read):
    fields(value, ("class", "data"))
    return pickle.loads(bytes(value["data"]))


def to_dict(value, read):
    fields(value, ("items",))
    return {hashable(read(key)): read(item) for key, item in value["items"]}


TAKEN = {
    **{f"networkx.{name}": to_graph for name in GRAPHS},
    "pandas.DataFrame": to_frame,
    "pandas.Series": to_series,
    "zarr.Array": to_zarr,
    "zarr.Group": to_group,
    "pickle": to_unpickled,
    "dict": to_dict,
}
