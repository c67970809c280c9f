"""The codecs of tests/packages in both directions: python packages.py STEP…, where `both_ways:graph,zarr`
is a step for some codecs. See `doors` for the environment; the program runs in that of `lab`, as the
proxy's workers do.

DataJoint 2.3.5 writes and the proxy's clients read; they write, and DataJoint reads directly. What
they have stored must be the same.
"""

import base64
import json
import os
import pickle
import re
import subprocess
import sys

import datajoint as dj
import doors
import networkx as nx
import numpy as np
import pandas as pd
import pymysql
import zarr
from common import check, same
from datajoint.blob import pack, unpack
from datajoint.hash_registry import get_store_backend
from lab_values.model import Threshold
from plain_values import COLUMNS, TYPED, VALUES
from sides import declare, direct, in_bytes, in_json, plain, refused, stored

STORES = {store: get_store_backend(store, config=direct._config) for store in ("main", "cold")}
SCHEMA_ADDRESSED = ("parquet", "zarr")


def model(limit):
    data = pickle.dumps(Threshold(limit), protocol=5)
    return {"@type": "pickle", "class": "lab_values.model.Threshold", "data": data}


VALUES["model"] = [model(limit) for limit in (0, 2.5, "z" * 3000)]
TYPED["model"] = (
    json.dumps({**model(7), "data": {"$bytes": base64.b64encode(model(7)["data"]).decode()}}),
    model(7),
)


# From what clients send to what DataJoint's programs insert and fetch.


def made(codec, sent):
    """The object that a DataJoint program has for what a client sends."""
    if codec in ("graph", "weighted_graph"):
        graph = nx.Graph()
        graph.add_nodes_from(map(tuple, sent["nodes"]))
        graph.add_edges_from(map(tuple, sent["edges"]))
        return graph
    if codec == "parquet":
        return pd.DataFrame(sent["columns"]).astype(sent["dtypes"])
    if codec == "zarr":
        return zarr.array(sent)
    if codec == "model":
        return pickle.loads(sent["data"])
    return sent


def sent_for(codec, value):
    """What a client sends and gets for a value of `VALUES`."""
    if codec == "zarr":
        return {"@type": "zarr.Array", "data": value}
    return value


def equal(codec, found, value):
    """Whether DataJoint has fetched the object that `value` stands for."""
    if codec in ("graph", "weighted_graph"):
        nodes = [[node, attributes] for node, attributes in found.nodes(data=True)]
        edges = [[a, b, attributes] for a, b, attributes in found.edges(data=True)]
        return same(nodes, value["nodes"]) and same(edges, value["edges"])
    if codec == "parquet":
        frame, expected = found.load(), made(codec, value)
        return found.shape == expected.shape and frame.equals(expected) and list(frame.dtypes) == list(expected.dtypes)
    if codec == "zarr":
        return same(found[...], value)
    if codec == "model":
        return found == made(codec, value)
    return same(found, value)


class Table:
    """One table for a codec: a column for each place where it may keep its values."""

    def __init__(self, codec):
        self.codec = codec
        self.name = codec
        self.columns = {f"at_{place}": f"<{spec}>" for place, spec in enumerate(COLUMNS[codec])}
        self.values = VALUES[codec]
        self.typed, self.meant = TYPED[codec]
        lines = "".join(f"{column} = null : {spec}\n" for column, spec in self.columns.items())
        definition = f"number : int32\nschema_version : int32\n---\n{lines}"
        self.written, self.read = declare(codec.title().replace("_", ""), definition)

    def key(self, number):
        return {"number": number, "schema_version": number % 2 + 1}

    def row(self, number, value):
        return {**self.key(number), **{column: value for column in self.columns}}

    def rows(self, connection, condition="TRUE"):
        """By number, what a client gets for each column."""
        sql = f"SELECT number, {', '.join(self.columns)} FROM {self.name} WHERE {condition} ORDER BY number"
        return {number: values for number, *values in doors.rows(connection, sql)}

    def insert(self, connection, rows):
        """Rows by number, with what a client sends for each column."""
        places = ", ".join(["(" + ", ".join(["%s"] * (2 + len(self.columns))) + ")"] * len(rows))
        arguments = [part for number, row in rows.items() for part in (*self.key(number).values(), *row)]
        names = ", ".join(["number", "schema_version", *self.columns])
        doors.rows(connection, f"INSERT INTO {self.name} ({names}) VALUES {places}", arguments)


def prompt(statement):
    """What a person at the mysql prompt gets, in the json view."""
    # Not all versions have the option that does without TLS; all know --skip-ssl.
    command = ["mariadb", "--no-defaults", "--protocol=tcp", "--skip-ssl", "--batch", "--raw", "--skip-column-names"]
    command += ["--default-character-set=utf8mb4", f"--host={os.environ['DJ_HOST']}", f"--port={os.environ['JSON_PORT']}"]
    command += [f"--user={os.environ['DJ_USER']}", f"--password={os.environ['DJ_PASS']}", doors.name]
    ended = subprocess.run(command, input=statement.encode(), capture_output=True)
    return ended.returncode, (ended.stdout if ended.returncode == 0 else ended.stderr).decode()


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


# The steps.


def both_ways(*codecs):
    for codec in codecs:
        one(Table(codec))


def one(table):
    codec, values = table.codec, dict(enumerate(table.values))
    table.written.insert(table.row(number, made(codec, value)) for number, value in values.items())
    # A nullable attribute that is not given, and one that is None.
    table.written.insert1(table.key(90))
    table.written.insert1(table.row(91, None))
    nulls = [None] * len(table.columns)

    packed = table.rows(in_bytes)
    texts = table.rows(in_json)
    for number, value in values.items():
        for column, found in zip(table.columns, packed[number]):
            is_told(codec, unpack(found), sent_for(codec, value), f"{codec} {number} {column} in bytes")
        check(len(set(texts[number])) == 1, f"{codec} {number}: one value, two texts: {texts[number]!r:.500}")
    check(packed[90] == packed[91] == texts[90] == texts[91] == nulls, f"{codec}: NULL")

    # What was read is written again; what programs make up, and what people type.
    table.insert(in_bytes, {100 + number: packed[number] for number in [*values, 90]})
    table.insert(in_json, {200 + number: texts[number] for number in [*values, 90]})
    own = {300 + number: [pack(sent_for(codec, value))] * len(nulls) for number, value in values.items()}
    table.insert(in_bytes, own)
    names, literals = ", ".join(table.columns), ", ".join([quoted(table.typed)] * len(nulls))
    sql = f"INSERT INTO {table.name} (number, schema_version, {names}) VALUES (400, 1, {literals})"
    check(prompt(sql) == (0, ""), prompt(sql))
    for column in table.columns:
        code, printed = prompt(f"SELECT {column} FROM {table.name} WHERE number = 400")
        (text,) = doors.row(in_json, f"SELECT {column} FROM {table.name} WHERE number = 400")
        check(code == 0 and printed == text + "\n", f"{codec}: at the prompt {printed}, and not {text}")
    sql = f"UPDATE {table.name} SET {', '.join(f'{column} = %s' for column in table.columns)} WHERE number = 190"
    doors.rows(in_bytes, sql, packed[0])
    # Where the key of the row decides, an UPDATE has the same one.
    meant = {**{copy + number: value for copy in (0, 100, 200, 300) for number, value in values.items()}}
    meant |= {190: table.values[0], 400: table.meant, 90: None, 91: None, 290: None}

    fetched = {row["number"]: row for row in table.read.to_dicts()}
    check(fetched.keys() == meant.keys(), f"{codec}: rows {sorted(fetched)}")
    for number, value in meant.items():
        for column in table.columns:
            found = fetched[number][column]
            right = found is None if value is None else found is not None and equal(codec, found, value)
            check(right, f"DataJoint fetches {codec} {number} {column}: {found!r:.500} and not {value!r:.500}")
    as_stored(table, {copy + number: number for copy in (100, 200, 300) for number in values} | {190: 0})


def is_told(codec, found, expected, what):
    """Clients get what they send; for an array in chunks a little more. A MySQL sorts the keys of JSON."""
    if codec == "config" and same(found, expected):
        return
    if codec == "zarr":
        found = {key: found[key] for key in expected}
    check(pack(found) == pack(expected), f"{what}: {found!r:.600} and not {expected!r:.600}")


def as_stored(table, copies):
    """The proxy has stored what DataJoint stored for the same value."""
    rows = table.rows(plain)
    for copy, number in copies.items():
        if table.codec == "versioned" and copy % 2 != number % 2:
            continue
        for column, theirs, ours in zip(table.columns, rows[number], rows[copy]):
            what = f"{table.codec} {copy} {column}"
            if table.codec not in SCHEMA_ADDRESSED:
                check(theirs == ours, f"{what}: stored {ours!r:.500} and not {theirs!r:.500}")
                continue
            theirs, ours = json.loads(theirs), json.loads(ours)
            place, extension = anonymous(theirs["path"])
            expected = place.replace(f"/number={number}/", f"/number={copy}/"), extension
            check(anonymous(ours["path"]) == expected, f"{what}: {ours['path']} and not {expected}")
            unequal = {"path", "timestamp"}
            known = [{key: v for key, v in told.items() if key not in unequal} for told in (theirs, ours)]
            check(list(known[0].items()) == list(known[1].items()), f"{what}: {ours} and not {theirs}")
            store = STORES[ours["store"]]
            contents = [files(store, told["path"]) for told in (theirs, ours)]
            check(contents[0] == contents[1] and contents[0], f"{what}: other files {contents!r:.800}")


def anonymous(path):
    """A path without the part that is drawn by lot."""
    found = re.fullmatch(r"(.*_)[A-Za-z0-9_-]{8}(\.[^/]*)?", path)
    check(found, f"no token in {path}")
    return found[1], found[2]


def files(store, path):
    """The files of an object by their names below its path; of its manifest what is not the time."""
    root = store._full_path(path)
    found = {name[len(root) :]: store.fs.cat_file(name) for name in store.fs.find(root)}
    if store.fs.exists(f"{root}.manifest.json"):
        manifest = json.loads(store.fs.cat_file(f"{root}.manifest.json"))
        manifest.pop("created")
        manifest["files"].sort(key=lambda file: file["path"])
        found["manifest"] = json.dumps(manifest)
    return found


def versions():
    """The key of a row decides how `<versioned>` lays its value out, also where only some of it is literal."""
    written, read = declare("Layouts", "schema_version : int32\nnumber : int32\n---\nvalue = null : <versioned>\n")
    for version in (1, 2):
        written.insert1({"schema_version": version, "number": 0, "value": [1, 2]})
    value = pack([1, 2])
    doors.rows(in_bytes, "INSERT INTO layouts VALUES (1, 1, %s), (2, 1, %s)", [value, value])
    doors.rows(in_bytes, "INSERT INTO layouts (value, number, schema_version) VALUES (%s, 2, 1), (%s, 2, 2)", [value] * 2)
    doors.rows(in_bytes, "INSERT INTO layouts SET schema_version = 1 + 1, number = 3, value = %s", [value])
    doors.rows(in_bytes, "INSERT INTO layouts SET schema_version = 1, number = 3, value = %s", [value])
    doors.rows(in_bytes, "INSERT INTO layouts VALUES (1, 4, NULL), (2, 4, NULL)")
    doors.rows(in_bytes, "UPDATE layouts SET value = %s WHERE schema_version = 2 AND number = 4", [value])
    doors.rows(in_bytes, "UPDATE layouts SET value = %s WHERE schema_version = 1 AND number = 4", [value])
    found = {}
    for version, number, raw in doors.rows(plain, "SELECT * FROM layouts"):
        found.setdefault(version, {})[number] = raw
    for version, layout in ((1, 1), (2, 2)):
        rows = found[version]
        check(unpack(rows[0])["layout"] == layout, f"DataJoint's own: {unpack(rows[0])}")
        for number, raw in rows.items():
            check(raw == rows[0], f"version {version} row {number}: {unpack(raw)}")
    check(all(row["value"] == [1, 2] for row in read.to_dicts()) and len(read()) == 10, read.to_dicts())


def searched():
    """A codec whose column is a number: rows are found by it, as DataJoint's programs find them."""
    written, read = declare("Span", "number : int32\n---\nlength = null : <duration>\n")
    written.insert({"number": number, "length": number / 4} for number in range(8))
    doors.rows(in_json, "INSERT INTO span VALUES (8, '2.0'), (9, NULL)")
    check(dict(doors.rows(plain, "SELECT * FROM span"))[8] == 2000, "milliseconds")
    check((read & "number = 8").fetch1("length") == 2.0, "as DataJoint reads")
    check(doors.row(in_json, "SELECT length FROM span WHERE number = 8") == ("2.0",), "as text")


def questions():
    """What a statement asks of a value that only the codec can tell is refused; the rest works as on any column."""
    table = Table("graph")
    table.insert(in_json, {number: [table.typed] * 2 for number in (1, 2)} | {3: [None, None]})
    for column in table.columns:
        packed = doors.value(in_bytes, f"SELECT {column} FROM graph WHERE number = 1")
        for asked in (f"LENGTH({column})", f"MD5({column})", f"CONCAT({column}, 'x')"):
            refused(in_bytes, f"SELECT {asked} FROM graph", (), "codec-proxy")
        refused(in_bytes, f"SELECT number FROM graph WHERE {column} = %s", [packed], "codec-proxy")
        refused(in_bytes, f"SELECT COUNT(DISTINCT {column}) FROM graph", (), "codec-proxy")
        refused(in_bytes, f"SELECT number FROM graph ORDER BY {column}", (), "codec-proxy")
        found = doors.rows(in_bytes, f"SELECT number FROM graph WHERE {column} IS NOT NULL ORDER BY number")
        check(found == ((1,), (2,)), found)
        sql = f"SELECT c FROM (SELECT {column} AS c, number FROM graph) AS d UNION ALL SELECT {column} FROM graph"
        found = [value for (value,) in doors.rows(in_bytes, sql)]
        check(sorted(found, key=str) == sorted([packed] * 4 + [None] * 2, key=str), f"a derived table and a UNION: {found!r:.500}")
    doors.rows(in_bytes, "INSERT INTO graph SELECT number + 10, schema_version, at_0, at_1 FROM graph")
    fetched = {row["number"]: row for row in table.read.to_dicts()}
    for number in (1, 2, 11, 12):
        check(all(equal("graph", fetched[number][column], table.meant) for column in table.columns), f"row {number}")
    (_, created) = doors.row(in_bytes, "SHOW CREATE TABLE graph")
    check("`at_1` longblob" in created and "COMMENT '<graph@main>" in created and "'<graph>" in created, created)
    doors.rows(in_bytes, created.replace("`graph`", "`again`"))
    sql = "SELECT column_type, column_comment FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
    twins = [doors.rows(plain, sql, [doors.name, name]) for name in ("graph", "again")]
    check(twins[0] == twins[1], twins)


# What cannot be: the error tells whose it is, and nothing is written.

BAD = [
    ("spike_train", [0.5, 1.5], "<spike_train>: TypeError: spike times must be a NumPy array"),
    ("spike_train", np.zeros((2, 2)), "<spike_train>: ValueError: spike times must have one dimension"),
    ("spike_train", np.array([2.0, 1.0]), "<spike_train>: ValueError: spike times must be sorted"),
    ("config", {"version": 0, "settings": {}}, "<config>: ValueError: $.version: breaks the rule 'minimum'"),
    ("config", {"version": 1}, "<config>: ValueError: $: breaks the rule 'required'"),
    ("config", {"version": 1, "settings": {"gain": 0}}, "$.settings.gain: breaks the rule 'exclusiveMinimum'"),
    ("graph", {"nodes": [1]}, "<graph>: TypeError: expected a networkx Graph, got dict"),
    ("weighted_graph", {"@type": "networkx.Graph", "edges": [[1, 2]]}, "ValueError: edges without a weight: 1-2"),
    ("parquet", [1], "<parquet>: TypeError: expected a pandas DataFrame, got list"),
    ("zarr", {"a": 1}, "<zarr>: TypeError: expected a zarr Array or its path, got dict"),
    ("zarr", "/etc/passwd", "<zarr>"),
    ("zarr", "../../etc", "<zarr>"),
    ("model", np.arange(3), "<model>: TypeError: a model has a method predict(), and ndarray has none"),
    ("zjson", {1, 2}, "<zjson>: TypeError: Object of type set is not JSON serializable"),
    ("zjson", {"a": b"bytes"}, "<zjson>: TypeError: Object of type bytes is not JSON serializable"),
    ("outline", 12, "<outline>: AttributeError: 'int' object has no attribute 'split'"),
    ("versioned", 12, "<versioned>: TypeError: object of type 'int' has no len()"),
    ("duration", "long", "<duration>: TypeError: expected seconds or a timedelta, got str"),
    ("careful", 1, "<careful>: LookupError: nothing 'fits'"),
    ("blunder", 12, "<blunder>"),
    ("blunder", "text", "<blunder>"),
    ("blunder", {"path": "_hash/x"}, "<blunder>"),
]


def bad_values():
    """Each alone and among good ones, in both views and at the prompt."""
    specs = dict.fromkeys(spec for codec, _, _ in BAD for spec in COLUMNS.get(codec, [codec, f"{codec}@main"]))
    columns = {re.sub(r"\W", "_at_", spec): spec for spec in specs}
    lines = "".join(f"{column} = null : <{spec}>\n" for column, spec in columns.items())
    declare("Bad", f"number : int32\nschema_version : int32\n---\ngood = null : <blob@main>\n{lines}")
    before = objects()
    for codec, value, text in BAD:
        for column, spec in columns.items():
            if spec.partition("@")[0] != codec:
                continue
            sql = f"INSERT INTO bad (number, schema_version, {column}) VALUES (1, 2, %s)"
            refused(in_bytes, sql, [pack(value)], text)
            check(objects() == before, f"{codec} has left objects")
    text = "<spike_train>: ValueError: spike times must be sorted"
    sql = "INSERT INTO bad (number, schema_version, spike_train) VALUES (1, 1, %s), (2, 1, %s), (3, 1, %s)"
    refused(in_bytes, sql, [pack(np.array(times)) for times in ([0.0, 1.0], [1.0, 0.0], [2.0])], text)
    sql = "INSERT INTO bad (number, schema_version, spike_train) VALUES (1, 1, %s)"
    refused(in_json, sql, ['{"$array": "float64", "value": [2, 1]}'], text)
    code, told = prompt(sql % quoted('{"$array": "float64", "value": [2, 1]}'))
    check(code != 0 and text in told, told)
    code, told = prompt(sql.replace("spike_train", "careful") % "'1'")
    check(code != 0 and "\x1b" not in told and len(told) < 2000 and "Traceback" not in told, told)
    check(doors.row(plain, "SELECT COUNT(*) FROM bad") == (0,), "a row was written")
    # The session goes on.
    check(doors.row(in_bytes, "SELECT COUNT(*) FROM bad") == (0,), "after refusals")


def objects():
    return sorted(name for store in STORES.values() for name in store.fs.find(store.spec["location"]))


def bad_chains():
    """Types that cannot be: DataJoint does not declare them, and neither does the proxy."""
    for marker, text in (
        ("parquet", "<parquet> requires @ (store only)"),
        ("zarr", "<zarr> requires @ (its folders live in a store)"),
        ("config@main", "<config> lives in the row: write it without @"),
        ("chicken", "Circular codec reference detected: <chicken>"),
        ("egg@main", "Circular codec reference detected: <egg>"),
        ("undecided", "undecided"),
        ("shapeless", "shapeless"),
        ("unbuilt@main", "unbuilt"),
    ):
        create = f"CREATE TABLE never (number INT PRIMARY KEY, value LONGBLOB COMMENT '<{marker}>')"
        refused(in_bytes, create, (), text)
    # Somebody has declared them by other means: their columns are refused, and the others work.
    doors.rows(
        doors.pymysql_at("STORED_PORT"),
        "CREATE TABLE others (number INT PRIMARY KEY, a LONGBLOB COMMENT ':<zarr>:', b LONGBLOB COMMENT ':<chicken>:',"
        " c JSON COMMENT ':<blob@main>:')",
    )
    value = pack(np.arange(4))
    doors.rows(in_bytes, "INSERT INTO others (number, c) VALUES (1, %s)", [value])
    check(doors.row(in_bytes, "SELECT number, c FROM others") == (1, value), "the other column")
    refused(in_bytes, "INSERT INTO others (number, a) VALUES (2, %s)", [value], "<zarr> requires @")
    refused(in_bytes, "INSERT INTO others (number, b) VALUES (2, %s)", [value], "Circular codec reference")
    check(doors.row(plain, "SELECT COUNT(*) FROM others") == (1,), "rows")
    # A package cannot take the place of a codec of DataJoint.
    doors.rows(in_bytes, "CREATE TABLE own (number INT PRIMARY KEY, value LONGBLOB COMMENT '<blob>')")
    doors.rows(in_bytes, "INSERT INTO own VALUES (1, %s)", [value])
    check(doors.row(plain, "SELECT value FROM own") == (value,), "<blob> is DataJoint's")


def inner_store():
    """`<archived>` goes to `cold`, whatever its column says, and is told so."""
    table = Table("archived")
    table.insert(in_json, {1: ['"one"', '"two"']})
    table.written.insert1({**table.key(2), "at_0": "one", "at_1": "two"})
    for number, found in table.rows(plain).items():
        told = [json.loads(text) for text in found]
        check([pointer["store"] for pointer in told] == ["cold", "cold"], told)
        contents = [STORES["cold"].get_buffer(pointer["path"]) for pointer in told]
        check(contents == [b"cold\none", b"cold\ntwo"], contents)
    check(not STORES["main"].fs.find(STORES["main"].spec["location"]), "nothing went to main")


def models_are_refused():
    """Without `allow_pickle`: neither written nor read, whoever has written."""
    table = Table("model")
    table.written.insert1(table.row(1, Threshold(1)))
    packed = pack(model(1))
    for column in table.columns:
        refused(in_bytes, f"SELECT {column} FROM model", (), "allow_pickle")
        sql = f"INSERT INTO model (number, schema_version, {column}) VALUES (2, 1, %s)"
        refused(in_bytes, sql, [packed], "allow_pickle")
        # What would run when it is unpickled.
        evil = {"@type": "pickle", "class": "lab_values.model.Threshold", "data": pickle.dumps(Evil())}
        refused(in_bytes, sql, [pack(evil)], "allow_pickle")
    refused(in_bytes, "INSERT INTO model (number, schema_version, at_0) VALUES (2, 1, %s)", [pack([evil])], "")
    check(not os.path.exists("evil"), "a client's pickle was loaded")
    check(doors.row(plain, "SELECT COUNT(*) FROM model") == (1,), "rows")
    check((table.read & "number = 1").fetch1("at_0") == Threshold(1), "as DataJoint reads")
    # Other codecs work.
    other = Table("zjson")
    other.insert(in_json, {1: ["[1]", "[2]"]})
    check((other.read & "number = 1").fetch1("at_0", "at_1") == ([1], [2]), "zjson")


class Evil:
    def __reduce__(self):
        return os.system, (f"touch {os.path.abspath('evil')}",)


def planted_files():
    """A pointer of another column's, or to what no column has, is not followed for a codec that reads itself."""
    table = Table("parquet")
    table.insert(in_json, {1: [table.typed] * 2})
    (told,) = (json.loads(row[0]) for row in table.rows(plain, "number = 1").values())
    file = STORES["main"].get_buffer(told["path"])
    for number, path in ((2, "secret.parquet"), (3, "_schema/other_schema/t/x_abcdefgh.parquet"), (4, "../outside.parquet")):
        if ".." not in path:
            STORES["main"].put_buffer(file, path)
        pointer = json.dumps({**told, "path": path})
        doors.rows(plain, "INSERT INTO parquet VALUES (%s, 1, %s, NULL)", [number, pointer])
        refused(in_bytes, f"SELECT at_0 FROM parquet WHERE number = {number}", (), "codec-proxy")


# The other generation.


def declare_for_old():
    for codec in COLUMNS:
        table = Table(codec)
        table.written.insert(table.row(number, made(codec, value)) for number, value in enumerate(table.values))


def read_old():
    """What 0.14 has added to the tables of 2.3.5, and a table of its own."""
    for codec in COLUMNS:
        name = codec.title().replace("_", "")
        read = getattr(dj.VirtualModule("direct", doors.name, connection=direct), name)
        rows = (read & "number >= 500").to_dicts(order_by="number")
        check(len(rows) == len(VALUES[codec]) + 1, f"{codec}: {len(rows)} rows of 0.14")
        last = VALUES[codec][0] if codec == "model" else TYPED[codec][1]
        for row, value in zip(rows, [*VALUES[codec], last]):
            for column in read.heading.secondary_attributes:
                found = row[column]
                check(equal(codec, found, value), f"{codec}.{column} of 0.14: {found!r:.500} and not {value!r:.500}")
    module = dj.VirtualModule("direct", doors.name, connection=direct)
    (row,) = module.Experiment.to_dicts()
    for column, codec in (("network", "graph"), ("results", "parquet"), ("image", "zarr"), ("settings", "config")):
        check(equal(codec, row[column], VALUES[codec][1]), f"{column}: {row[column]!r}")
    expected = {"network": "<graph@main>", "results": "<parquet@main>", "image": "<zarr@main>", "settings": "<config>"}
    for column, spec in expected.items():
        comment = doors.value(
            plain,
            "SELECT column_comment FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
            " AND column_name = %s",
            [doors.name, "experiment", column],
        )
        check(comment == f":{spec}:{column} of 0.14", comment)
    written = dj.VirtualModule("through", doors.name, connection=direct if doors.writes_directly else stored).Experiment
    new = {column: made(codec, VALUES[codec][0]) for column, codec in OLD.items()}
    written.insert1({"number": 2, **new})


OLD = {"network": "graph", "results": "parquet", "image": "zarr", "settings": "config"}


if __name__ == "__main__":
    for step in sys.argv[1:]:
        name, _, codecs = step.partition(":")
        globals()[name](*filter(None, codecs.split(",")))
