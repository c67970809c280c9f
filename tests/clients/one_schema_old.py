"""DataJoint 0.14 or 0.13 through the `bytes` listener, on a schema of 2.3.5: python one_schema_old.py STEP.

HOST, PORT, USER, PASSWORD and SCHEMA come from the environment.
"""

import decimal
import json
import os
import sys
import uuid
import warnings

os.environ["DJ_SUPPORT_ADAPTED_TYPES"] = "TRUE"
os.environ["DJ_SUPPORT_FILEPATH_MANAGEMENT"] = "TRUE"

import datajoint as dj
import networkx as nx
import numpy as np
from common import check, same, value
from one_schema import MICE, SESSIONS, TRIALS, part, raises, run, session

warnings.simplefilter("ignore")
dj.config["database.host"] = os.environ["HOST"]
dj.config["database.port"] = int(os.environ["PORT"])
dj.config["database.user"] = os.environ["USER"]
dj.config["database.password"] = os.environ["PASSWORD"]
dj.config["safemode"] = False
dj.config["enable_python_native_blobs"] = True
name = os.environ["SCHEMA"]
schema = dj.Schema(name, context=globals())

for folder in ("legacy", "stage", "fetched"):
    os.makedirs(folder, exist_ok=True)
dj.config["stores"] = {
    "old": {"protocol": "file", "location": os.path.abspath("legacy"), "stage": os.path.abspath("stage")},
}

# DataJoint 0.13 takes and gives json as text.
KNOWS_JSON = tuple(map(int, dj.__version__.split(".")[:2])) >= (0, 14)

# Names of the classes of the new program: Mouse, Session, …
new = dj.create_virtual_module("new", name)
Mouse, Session, Species, Pair = new.Mouse, new.Session, new.Species, new.Pair


class GraphAdapter(dj.AttributeAdapter):
    attribute_type = "longblob"

    def put(self, graph):
        return sorted(graph.edges)

    def get(self, edges):
        return nx.Graph(list(edges))


graph = GraphAdapter()


class Probe(dj.Lookup):
    definition = """
    probe : varchar(12)
    ---
    channels : smallint unsigned
    geometry = null : longblob      # <blob@main> positions
    """
    contents = [("A", 64, np.arange(6).reshape(2, 3)), ("B", 32, None)]


class Insertion(dj.Manual):
    definition = """
    -> Session
    insertion : int unsigned
    ---
    -> Probe
    -> [nullable] Mouse.proj(reference='mouse_id')
    identity : uuid
    depth = 1.5 : decimal(6,3)
    stamp = CURRENT_TIMESTAMP : timestamp
    kind = "x" : enum("x", "y")
    flag = 0 : bool
    notes = "" : varchar(100)
    image : longblob                # <blob@main> picture
    log = null : attach             # <attach@main> log file
    """

    class Channel(dj.Part):
        definition = """
        -> master
        channel : tinyint unsigned
        ---
        gain : float
        samples : longblob          # <blob@main>
        """


class Summary(dj.Computed):
    """Declared by the new program; this one fills it, too."""

    definition = """
    -> Session
    ---
    trials : int
    result : longblob
    """

    def make(self, key):
        self.insert1({**key, "trials": len(Session.Trial & key), "result": {"by": "old", "size": 2}})


class Score(dj.Computed):
    definition = """
    -> Insertion
    ---
    score : double
    details : longblob              # <blob@main>
    """

    def make(self, key):
        self.insert1({**key, "score": 0.5, "details": {"by": "old"}})


class Connectivity(dj.Manual):
    definition = """
    conn_id : int
    ---
    conn_graph = null : <graph>
    """


class Legacy(dj.Manual):
    definition = """
    legacy_id : int
    ---
    signal : blob@old
    file : attach@old
    place : filepath@old
    offloaded : longblob            # <blob@main>
    """


def rows_of(query, order):
    return query.fetch(as_dict=True, order_by=order)


def same_rows(found, wanted, *attributes):
    check(len(found) == len(wanted), f"{len(found)} rows")
    for row, other in zip(found, wanted):
        for attribute in attributes:
            check(same(row[attribute], other[attribute]), f"{attribute}: {row[attribute]!r:.200}, not {other[attribute]!r:.200}")


# ---- tables of the new program, opened by the old one ----


@part("open")
def lists_the_tables():
    tables = set(schema.list_tables())
    wanted = {"#species", "#person", "mouse", "session", "session__trial", "pair", "__summary", "image"}
    check(wanted <= tables, tables)
    check(not any(table.startswith("~") for table in tables), tables)
    for class_name in ("Species", "Person", "Mouse", "Session", "Pair", "Summary", "Image"):
        check(hasattr(new, class_name), f"no class {class_name}")
    check(hasattr(new.Session, "Trial"), "no part table")


@part("open")
def keeps_its_log():
    # 0.14 makes the table ~log when it first writes there, which a delete does in a transaction.
    schema.log("opened")
    check(len(schema.log & 'event="opened"') == 1, schema.log)


@part("open")
def leaves_the_bookkeeping_alone():
    """The tables of 2.x whose names begin with ~ are there, and nothing of 0.14 minds or changes them."""

    def contents():
        names = [row[0] for row in schema.connection.query(f"SHOW TABLES IN `{name}` LIKE '~%%'")]
        return {own: sorted(map(str, schema.connection.query(f"SELECT * FROM `{name}`.`{own}`"))) for own in names}

    before = contents()
    check({"~lineage", "~~summary"} <= before.keys() and all(before.values()), before)
    status = {row[0]: row for row in schema.connection.query(f"SHOW TABLE STATUS IN `{name}`")}
    check(before.keys() <= status.keys() and status["session"][1] == "InnoDB", status.keys())
    described = {row[0] for row in schema.connection.query(
        f"SELECT table_name FROM information_schema.columns WHERE table_schema = '{name}' AND data_type = 'longblob'"
    )}
    check({"session", "session__trial", "__summary"} <= described, described)
    for own in before:
        table = dj.FreeTable(schema.connection, f"`{name}`.`{own}`")
        check(len(table) == len(before[own]) and len(table.heading.names) > 1, own)
        check(table.describe(printout=False) != "" and len(table.fetch(as_dict=True)) == len(table), own)
    module = dj.VirtualModule("another", name)
    dj.Diagram(schema) + dj.Diagram(module)
    context = {}
    dj.Schema(name, context=context).spawn_missing_classes(context)
    classes = {**vars(module), **context}
    check(not any("lineage" in word.lower() or word.startswith("~") for word in classes), classes.keys())
    schema.connection.dependencies.load(force=True)
    check(contents() == before, "the tables have changed")


@part("open")
def spawns_classes():
    context = {}
    dj.Schema(name, context=context).spawn_missing_classes(context)
    check({"Species", "Mouse", "Session", "Pair", "Summary"} <= context.keys(), context.keys())
    check(len(context["Session"].Trial()) == len(TRIALS), "a part table")


def described_as(table):
    # Only the classes of the new program: those of this one are not declared yet.
    return table.describe(context=vars(new), printout=False)


@part("open")
def describes_them():
    for table in (Mouse, Session, Session.Trial, Pair, new.Summary, new.Image):
        check(described_as(table) != "", table.__name__)
    described = described_as(Session)
    for words in ("-> Mouse", 'operator="person"', "longblob", "attach", "raw traces"):
        check(words in described, f"{words} is not in {described}")
    check("<" not in described and ":" + "blob" not in described, described)
    described = described_as(Mouse)
    for words in ("uuid", "enum('F','M','unknown')", "json", "chip", "decimal(5,2)"):
        check(words in described, f"{words} is not in {described}")
    check("-> Mouse.proj(left=" in described_as(Pair), described_as(Pair))


@part("open")
def knows_their_headings():
    heading = Mouse.heading
    check(heading["identity"].uuid and heading["identity"].type == "uuid", heading["identity"])
    check(heading["meta"].type == "json" and (not KNOWS_JSON or heading["meta"].json), heading["meta"])
    check(heading["mouse_id"].comment == "number in the colony", heading["mouse_id"])
    heading = Session.heading
    check(heading["traces"].type == "longblob" and heading["traces"].is_blob, heading["traces"])
    check(heading["attached"].is_attachment and heading["attached"].comment == "protocol", heading["attached"])
    check((heading.primary_key, heading["traces"].nullable) == (["mouse_id", "session"], True), heading)


@part("open")
def loads_dependencies():
    schema.connection.dependencies.load(force=True)
    children = Mouse.children()
    check(f"`{name}`.`session`" in children and f"`{name}`.`__summary`" in Session.children(), children)
    check(len(Mouse.descendants()) >= 5 and f"`{name}`.`#species`" in Mouse.parents(), Mouse.descendants())
    nodes = set(dj.Diagram(schema).nodes_to_show)
    check({f"`{name}`.`mouse`", f"`{name}`.`session__trial`", f"`{name}`.`__summary`"} <= nodes, nodes)


@part("open")
def fetches_core_types():
    attributes = ("mouse_id", "species", "identity", "born", "weight", "sex", "meta", "note")
    rows = rows_of(Mouse, "mouse_id")
    if not KNOWS_JSON:
        for row in rows:
            row["meta"] = row["meta"] and json.loads(row["meta"])
    same_rows(rows, [{**row, "mouse_id": int(row["mouse_id"])} for row in MICE], *attributes)
    check(list(Mouse.fetch("good", order_by="mouse_id")) == [1, 0, 1], "bool")
    check((Mouse & {"identity": uuid.UUID(int=2)}).fetch1("mouse_id") == 2, "a condition on a UUID")
    check(list((Mouse & 'sex="M"').fetch("KEY")) == [{"mouse_id": 1}], "a condition on an enum")
    check(list((Mouse & "weight IS NULL").fetch("mouse_id")) == [3], "NULL")
    if KNOWS_JSON:
        check(list((Mouse & {"meta.cage": 2}).fetch("mouse_id")) == [2], "a condition within json")
    check(Mouse.fetch(format="frame").loc[2]["note"] == "mouse 2", "a frame")


@part("fetch")
def fetches_in_all_ways():
    rows = Session.fetch(as_dict=True, order_by=("mouse_id", "session"), download_path="fetched")
    same_rows(rows, SESSIONS, "traces", "inside", "at", "operator")
    with open(rows[0]["attached"], "rb") as file:
        check(file.read() == b"day 1" and os.path.basename(rows[0]["attached"]) == "protocol.txt", rows[0]["attached"])
    check(rows[1]["attached"] is None, rows[1]["attached"])
    array = Session.proj("traces").fetch(order_by="KEY")
    check(array.dtype.names == ("mouse_id", "session", "traces") and same(array["traces"][4], value(4)), array.dtype)
    traces, keys = Session.fetch("traces", "KEY", order_by="mouse_id DESC, session", limit=2, offset=1)
    check(same(traces[0], value(4)) and list(keys) == [{"mouse_id": 2, "session": 2}, {"mouse_id": 2, "session": 3}], keys)
    check(same((Session & "mouse_id=1 and session=2").fetch1("traces"), value(3)), "fetch1")
    check((Session & {"mouse_id": 1, "session": 3}).fetch1("traces") is None, "NULL")
    key, inside = (Session & {"mouse_id": 1, "session": 1}).fetch1("KEY", "inside")
    check(key == {"mouse_id": 1, "session": 1} and same(inside, value(1)), key)
    check(len(Session.fetch("KEY", as_dict=True)) == 6 and len(Session.fetch("session")) == 6, "keys")
    check(len(Session.fetch(format="frame", download_path="fetched")) == 6, "a frame")
    check(len(Session.head(2, download_path="fetched")) == 2 and len(Session.tail(2, download_path="fetched")) == 2, "head and tail")
    check("traces" in Session().preview() and "=BLOB=" in repr(Session()), "preview")
    check(len(list(iter(Session.proj("traces")))) == 6, "iteration")


@part("fetch")
def restricts():
    def sessions(query):
        return [(row["mouse_id"], row["session"]) for row in rows_of(query.proj("traces"), "mouse_id, session")]

    check(sessions(Session & {"mouse_id": 2}) == [(2, 1), (2, 2), (2, 3)], "a dict")
    check(sessions(Session & [{"mouse_id": 1, "session": 1}, "session = 3"]) == [(1, 1), (1, 3), (2, 3)], "a list")
    check(sessions(Session & (Mouse & 'species="rat"')) == [(2, 1), (2, 2), (2, 3)], "a query")
    check(sessions(Session - {"mouse_id": 2}) == [(1, 1), (1, 2), (1, 3)], "not a dict")
    check(sessions(Session - (Session.Trial & "session < 3")) == [(1, 3), (2, 3)], "not a query")
    check(sessions(Session & dj.AndList(["session > 1", {"mouse_id": 1}])) == [(1, 2), (1, 3)], "all of a list")
    check(sessions(Session & dj.Not("session > 1")) == [(1, 1), (2, 1)], "not")
    check(sessions(Session & 'operator = "ada"') == [(1, 1), (2, 1)], "a renamed foreign key")
    check(sessions(Session & "traces IS NULL") == [(1, 3), (2, 3)], "traces IS NULL")
    check({"mouse_id": 1, "session": 3} in Session() and {"mouse_id": 9, "session": 1} not in Session(), "in")
    check(bool(Session & "session=1") and not (Session & "session=9"), "bool")


@part("fetch")
def joins():
    joined = rows_of(Mouse.proj("note") * Session.proj("traces") & "session < 3", "mouse_id, session")
    check([row["note"] for row in joined] == ["mouse 1"] * 2 + ["mouse 2"] * 2, joined[0])
    same_rows(joined, [row for row in SESSIONS if row["session"] < 3], "traces")
    joined = rows_of((Session.proj("traces") * Session.Trial) & "mouse_id = 2", "session, trial")
    same_rows(joined, [row for row in TRIALS if row["mouse_id"] == 2], "response")
    same_rows(joined[::2], [row for row in SESSIONS if row["mouse_id"] == 2], "traces")
    left = Mouse.proj(left="mouse_id", left_note="note")
    right = Mouse.proj(right="mouse_id", right_note="note")
    joined = rows_of(Pair * left * right, "score desc")
    check([(row["left_note"], row["right_note"]) for row in joined] == [("mouse 1", "mouse 2"), ("mouse 2", "mouse 3")], joined)
    wide = (Mouse * Session).fetch(as_dict=True, order_by="mouse_id, session", download_path="fetched")
    same_rows(wide, SESSIONS, "traces", "inside")


@part("fetch")
def takes_the_first():
    if not hasattr(dj, "Top"):  # 0.13
        return
    first = (Session & dj.Top(limit=2, order_by="mouse_id desc, session")).proj("traces")
    rows = rows_of(first, "mouse_id, session")
    check([(row["mouse_id"], row["session"]) for row in rows] == [(2, 1), (2, 2)], rows)
    same_rows(rows, SESSIONS[3:5], "traces")


@part("fetch")
def projects_and_renames():
    renamed = rows_of(Session.proj(raw="traces", number="session"), "mouse_id, number")
    same_rows([{"traces": row["raw"]} for row in renamed], SESSIONS, "traces")
    check((Session.proj(raw="traces") & {"mouse_id": 1, "session": 2}).fetch1("raw").__class__ is value(3).__class__, "a renamed column")
    derived = rows_of((Session.proj(raw="traces", day="date(at)") & 'day = "2024-03-02"'), "mouse_id, session")
    same_rows([{"traces": row["raw"]} for row in derived], SESSIONS[3:], "traces")
    both = rows_of(Session.proj("traces", twice="session * 2") & "twice > 2", "mouse_id, session")
    check([row["twice"] for row in both] == [4, 6, 4, 6], both)
    same_rows(both, [row for row in SESSIONS if row["session"] > 1], "traces")
    other = Session.proj("traces", source="mouse_id") * Pair.proj(source="left")
    check(len(other) == 6, "a join over a renamed key")


@part("fetch")
def aggregates():
    counted = rows_of(Session.aggr(Session.Trial, trials="count(trial)", last="max(trial)"), "mouse_id, session")
    check([row["trials"] for row in counted] == [2] * 6 and counted[0]["last"] == 2, counted)
    counted = rows_of(Mouse.aggr(Session, sessions="count(session)", keep_all_rows=True), "mouse_id")
    check([row["sessions"] for row in counted] == [3, 3, 0], counted)
    counted = rows_of(Mouse.aggr(Session, with_traces="count(traces)"), "mouse_id")
    check([row["with_traces"] for row in counted] == [2, 2], counted)
    check(dj.U().aggr(Session, n="count(*)").fetch1("n") == 6, "U().aggr")
    check(sorted(dj.U("session").aggr(Session, n="count(*)").fetch("n")) == [2, 2, 2], "U(…).aggr")
    check(len(dj.U("species") & Mouse) == 2, "U & Mouse")
    check(len(Session & (Mouse.aggr(Session, n="count(*)") & "n = 3")) == 6, "a restriction by an aggregation")


@part("fetch")
def unites():
    # A union may share no more than keys; the secondary attributes of one side are NULL in the other.
    # 0.14 sorts no union: its ORDER BY is lost, or lands within the quotes of an alias.
    both = (Session.proj("traces") & "session = 1") + (Session.proj("inside") & "session > 1")
    rows = sorted(both.fetch(as_dict=True), key=lambda row: (row["mouse_id"], row["session"]))
    same_rows(rows[::3], SESSIONS[::3], "traces")
    same_rows(rows[1:3], SESSIONS[1:3], "inside")
    check(rows[1]["traces"] is None and rows[0]["inside"] is None, rows[1])
    keys = (Session.proj() & "session = 1") + (Session.proj() & "session = 2")
    check(len(keys.fetch("KEY")) == 4, "keys")


@part("fetch")
def fetches_what_lives_in_a_store_only():
    grid = (new.Image & "image_id = 2").fetch1("grid")
    check(same(grid, np.arange(6).reshape(2, 3)), grid)


# ---- the old program writes into tables of the new one ----


@part("change")
def inserts():
    meta = {"cage": 4}
    row = {**MICE[0], "mouse_id": 4, "identity": uuid.UUID(int=4), "meta": meta if KNOWS_JSON else json.dumps(meta)}
    Mouse.insert1(row)
    check((Mouse & "mouse_id = 4").fetch1("identity") == uuid.UUID(int=4), "uuid")
    read = (Mouse & "mouse_id = 4").fetch1("meta")
    check((read if KNOWS_JSON else json.loads(read)) == meta, read)
    with open("log.txt", "wb") as file:
        file.write(b"by 0.14")
    Session.insert1({**session(4, 1), "traces": value(7), "attached": "log.txt"})
    check(same((Session & "mouse_id = 4").fetch1("traces"), value(7)), "traces")
    Session.Trial.insert({**row, "mouse_id": 4, "session": 1} for row in TRIALS[:2])
    Session.insert1({**session(4, 1), "attached": None}, skip_duplicates=True)
    check(same((Session & "mouse_id = 4").fetch1("traces"), value(7)), "skip_duplicates")
    raises(dj.errors.DuplicateError, lambda: Session.insert1({**session(4, 1), "attached": None}))
    raises(dj.errors.IntegrityError, lambda: Session.insert1({**session(4, 1), "mouse_id": 77, "attached": None}))
    raises(dj.errors.MissingAttributeError, lambda: Session.insert1({"mouse_id": 4, "session": 2}))
    Species.insert1(("gerbil", None))
    (Species & {"species": "gerbil"}).delete()


@part("change")
def inserts_from_a_query():
    Mouse.insert1({**MICE[0], "mouse_id": 5, "identity": uuid.UUID(int=5), "meta": None})
    sessions = (Session & {"mouse_id": 1, "session": 1}).proj("at", "operator", "traces", mouse="mouse_id")
    Session.insert(sessions.proj(..., mouse_id="5"), ignore_extra_fields=True)
    copied = (Session & "mouse_id = 5").fetch1(download_path="fetched")
    check(same(copied["traces"], value(2)) and copied["inside"] is None, copied)
    (Mouse & "mouse_id = 5").delete()


@part("change")
def updates():
    key = {"mouse_id": 2, "session": 2}
    Session.update1({**key, "traces": value(8), "inside": value(9)})
    row = (Session & key).fetch1(download_path="fetched")
    check(same(row["traces"], value(8)) and same(row["inside"], value(9)), row)
    Session.update1({**key, "inside": None})
    check((Session & key).fetch1("inside") is None, "NULL")
    Session.update1({**key, "attached": "log.txt"})
    meta = {"cage": 4} if KNOWS_JSON else '{"cage": 4}'
    Mouse.update1({"mouse_id": 4, "note": "updated", "weight": decimal.Decimal("9.75"), "meta": meta})
    check((Mouse & "mouse_id = 4").fetch1("note", "weight") == ("updated", decimal.Decimal("9.75")), "core types")


@part("change")
def keeps_transactions():
    try:
        with schema.connection.transaction:
            Session.insert1({**session(4, 2), "attached": None})
            check(len(Session & "mouse_id = 4") == 2, "within")
            raise KeyError
    except KeyError:
        pass
    check(len(Session & "mouse_id = 4") == 1, "rolled back")


# ---- tables of its own on the schema, and jobs ----


def declare_all():
    for table in (Probe, Insertion, Summary, Score):
        schema(table)


@part("own")
def declares_its_own():
    declare_all()
    Insertion.insert1({
        "mouse_id": 1, "session": 1, "insertion": 1, "probe": "A", "reference": 3, "identity": uuid.UUID(int=101),
        "depth": 2.5, "kind": "y", "flag": True, "image": value(1), "log": log_file(),
    })
    Insertion.insert1({"mouse_id": 1, "session": 1, "insertion": 2, "probe": "B", "identity": uuid.UUID(int=102), "image": value(2)})
    Insertion.insert1({"mouse_id": 2, "session": 1, "insertion": 1, "probe": "B", "identity": uuid.UUID(int=103), "image": value(3)})
    Insertion.Channel.insert({"mouse_id": 1, "session": 1, "insertion": 1, "channel": c, "gain": (c + 1) / 2, "samples": value(c)} for c in (0, 1))
    check(same(Probe.fetch("geometry", order_by="probe")[0], np.arange(6).reshape(2, 3)), "contents of a lookup table")
    row = (Insertion & {"mouse_id": 1, "insertion": 1}).fetch1(download_path="fetched")
    check(same(row["image"], value(1)) and row["identity"] == uuid.UUID(int=101) and row["reference"] == 3, row)
    joined = (Session.proj("traces") * Insertion.proj("image") & "mouse_id = 1").fetch(as_dict=True, order_by="insertion")
    check(same(joined[1]["traces"], value(2)) and same(joined[1]["image"], value(2)), "a join")
    check(f"`{name}`.`insertion`" in Session.children() and "-> Session" in Insertion.describe(printout=False), "a foreign key")


def log_file():
    with open("log.txt", "wb") as file:
        file.write(b"log of 0.14")
    return "log.txt"


@part("own")
def populates():
    declare_all()
    check(Summary.progress(display=False) == (6, 7), Summary.progress(display=False))
    schema.jobs.delete()
    Summary.populate("session = 2", reserve_jobs=True)
    check(len(Summary()) == 3, len(Summary()))
    Summary.populate(reserve_jobs=True, order="random", max_calls=2)
    Summary.populate()
    check(Summary.progress(display=False) == (0, 7) and len(schema.jobs) == 0, Summary.progress(display=False))
    (Summary & "mouse_id = 4").delete()
    Score.populate("mouse_id = 1 and insertion = 1", reserve_jobs=True)
    check((Score & "insertion = 1").fetch1("details") == {"by": "old"}, "a computed table of its own")


def fail(*_):
    raise ValueError("a bad session")


@part("own")
def keeps_failed_jobs():
    schema(Summary)
    schema.jobs.delete()
    original = Summary.make
    Summary.make = fail
    try:
        errors = Summary.populate(suppress_errors=True, reserve_jobs=True)
    finally:
        Summary.make = original
    # 0.14 has made a dict of the list.
    check(len(errors["error_list"] if isinstance(errors, dict) else errors) == 1, errors)
    job = (schema.jobs & 'status = "error"').fetch1()
    check(job["key"]["mouse_id"] == 4 and "a bad session" in job["error_message"] and job["table_name"] == "__summary", job)
    Summary.populate(reserve_jobs=True)
    check(len(Summary & "mouse_id = 4") == 0, "a job in error is left alone")
    schema.jobs.delete()


@part("own")
def adapts_its_own_types():
    schema(Connectivity)
    star = nx.star_graph(3)
    Connectivity.insert1((1, star))
    Connectivity.insert1({"conn_id": 2})
    found = (Connectivity & "conn_id = 1").fetch1("conn_graph")
    check(isinstance(found, nx.Graph) and sorted(found.edges) == sorted(star.edges), found)
    check((Connectivity & "conn_id = 2").fetch1("conn_graph") is None, "NULL")
    check("<graph>" in Connectivity.describe(printout=False), Connectivity.describe(printout=False))


@part("own")
def keeps_its_external_columns():
    schema(Legacy)
    path = os.path.join("stage", "sub", "place.bin")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(b"a managed file")
    Legacy.insert1({"legacy_id": 1, "signal": value(0), "file": log_file(), "place": os.path.abspath(path), "offloaded": value(2)})
    kept = os.path.join("stage", "kept.bin")
    for name, content in ((kept, b"kept"), ("kept.txt", b"kept, too")):
        with open(name, "wb") as file:
            file.write(content)
    Legacy.insert1({"legacy_id": 2, "signal": value(3), "file": "kept.txt", "place": os.path.abspath(kept), "offloaded": value(1)})
    os.remove(path)
    rows = Legacy.fetch(as_dict=True, order_by="legacy_id", download_path="fetched")
    check(same(rows[0]["signal"], value(0)) and same(rows[1]["signal"], value(3)), "blob@old")
    check(same(rows[0]["offloaded"], value(2)), "<blob@main> beside it")
    for attribute, content in (("file", b"log of 0.14"), ("place", b"a managed file")):
        with open(rows[0][attribute], "rb") as file:
            check(file.read() == content, attribute)
    check(len(schema.external["old"]) == 6 and len(schema.external["old"].unused()) == 0, "~external_old")
    described = Legacy.describe(printout=False)
    check("blob@old" in described and "attach@old" in described and "filepath@old" in described, described)
    (Legacy & "legacy_id = 1").delete()
    check(len(schema.external["old"].unused()) == 3, schema.external["old"].unused())
    check(schema.external["old"].delete(delete_external_files=True) == [], "deleting the unused")
    check(same((Legacy & "legacy_id = 2").fetch1("signal"), value(3)), "what is left")


@part("after")
def reads_what_the_new_program_wrote():
    declare_all()
    key = {"mouse_id": 2, "session": 1, "insertion": 9}
    image, notes = (Insertion & key).fetch1("image", "notes")
    check(same(image, value(3)) and notes == "by the new program", notes)
    scores = rows_of(Score, "mouse_id, session, insertion")
    check([row["details"]["by"] for row in scores] == ["old", "new", "new", "new"], scores)
    check(Score.progress(display=False) == (0, 4), Score.progress(display=False))


@part("after")
def deletes_in_tables_of_both():
    declare_all()
    (Mouse & "mouse_id = 4").delete()
    check(len(Session & "mouse_id = 4") == 0, "a cascade")
    (Insertion & {"mouse_id": 2, "insertion": 9}).delete()
    check(len(Insertion()) == 3 and len(Score()) == 3, "a cascade into a computed table")
    (Insertion.Channel & "channel = 1").delete(force=True)
    (Session.Trial & {"mouse_id": 1, "session": 3}).delete_quick()
    check(len(Session.Trial()) == len(TRIALS) - 2, "delete_quick")


@part("drop")
def drops():
    declare_all()
    Insertion.drop()
    check("insertion" not in schema.list_tables() and "__score" not in schema.list_tables(), schema.list_tables())
    new.Image.drop()
    new.Session.drop()
    check("session" not in schema.list_tables(), schema.list_tables())
    schema.drop()
    check(name not in dj.list_schemas(), "the schema")


run(sys.argv[1])
