"""DataJoint 2.3.5, through the `stored` listener or directly: python one_schema_new.py STEP."""

import os
import sys
import uuid
import warnings

import datajoint as dj
import numpy as np
from common import check, same, value
from one_schema import MICE, PAIRS, SESSIONS, SPECIES, TRIALS, part, run

# "MariaDB is not supported" is known.
warnings.simplefilter("ignore")
dj.config["safemode"] = False
name = os.environ["SCHEMA"]
# The tables are there already unless the step is to declare them.
schema = dj.Schema(name, context=globals())


class Species(dj.Lookup):
    definition = """
    species : varchar(20)
    ---
    latin = null : varchar(40)
    """
    contents = SPECIES


class Person(dj.Lookup):
    definition = """
    person : varchar(12)
    """
    contents = [("ada",), ("otto",)]


class Mouse(dj.Manual):
    definition = """  # animals
    mouse_id : int32                     # number in the colony
    ---
    -> Species
    identity : uuid                      # chip
    born : date
    weight = null : decimal(5,2)
    sex = 'unknown' : enum('F','M','unknown')
    good = 1 : bool
    seen = CURRENT_TIMESTAMP : datetime
    meta = null : json
    note = "" : varchar(200)
    index (born)
    """


class Session(dj.Manual):
    definition = """
    -> Mouse
    session : int16
    ---
    at : datetime(3)
    -> [nullable] Person.proj(operator='person')
    traces = null : <blob@main>          # raw traces
    inside = null : <blob>
    attached = null : <attach@main>      # protocol
    """

    class Trial(dj.Part):
        definition = """
        -> master
        trial : int32
        ---
        response : <blob@main>
        """


class Pair(dj.Manual):
    definition = """
    -> Mouse.proj(left='mouse_id')
    -> Mouse.proj(right='mouse_id')
    ---
    score : float64
    """


class Summary(dj.Computed):
    definition = """
    -> Session
    ---
    trials : int32
    result : <blob@main>
    """

    def make(self, key):
        trials = Session.Trial & key
        self.insert1({**key, "trials": len(trials), "result": {"by": "new", "size": len(trials)}})


class Image(dj.Manual):
    definition = """
    image_id : int32
    ---
    picture = null : <object@main>
    grid = null : <npy@main>
    """


def declare_all():
    for table in (Species, Person, Mouse, Session, Pair, Summary, Image):
        schema(table)


@part("declare")
def declares_and_fills():
    declare_all()
    Mouse.insert(MICE)
    with open("protocol.txt", "wb") as file:
        file.write(b"day 1")
    Session.insert({**row, "attached": "protocol.txt" if row["session"] == 1 else None} for row in SESSIONS)
    Session.Trial.insert(TRIALS)
    Pair.insert(PAIRS)
    # Makes the table ~~summary, and a job that the old program must not stumble over.
    Summary.jobs.refresh()
    Summary.populate({"mouse_id": 1, "session": 1}, reserve_jobs=True)
    check(len(Summary()) == 1, "populate of the new program")


@part("features")
def finds_its_rows():
    declare_all()
    rows = Session.to_dicts(order_by="mouse_id, session")
    check(all(same(row["traces"], wanted["traces"]) for row, wanted in zip(rows, SESSIONS)), "traces")
    check(len(rows) == 6, len(rows))
    numbers, responses = (Session.Trial & {"mouse_id": 2}).to_arrays("trial", "response", order_by="session, trial")
    wanted = [row for row in TRIALS if row["mouse_id"] == 2]
    check(all(same(found, row["response"]) for found, row in zip(responses, wanted)), "to_arrays")
    # Attachments are written to a file wherever they are fetched.
    path = (Session & {"mouse_id": 1, "session": 1}).fetch1("attached")
    with open(path, "rb") as file:
        check(file.read() == b"day 1", "an attachment")


@part("features")
def reads_what_the_heading_says():
    mouse = dj.VirtualModule("module", name).Mouse
    types = {column: mouse.heading[column].type for column in ("identity", "meta", "good", "weight")}
    check(types["meta"] == "json" and mouse.heading["meta"].json, types)
    check(mouse.heading["identity"].uuid, types)
    check((mouse & "mouse_id = 1").fetch1("identity") == uuid.UUID(int=1), "uuid")
    check((mouse & "mouse_id = 1").fetch1("meta") == MICE[0]["meta"], "json")
    check((mouse & {"meta.cage": 2}).keys() == [{"mouse_id": 2}], "a condition within json")


@part("features")
def describes_what_it_declared():
    # On MariaDB only the proxy's CURRENT_TIMESTAMP makes that possible.
    described = Mouse.describe()
    check("CURRENT_TIMESTAMP" in described and '"current_timestamp' not in described.lower(), described)


@part("features")
def updates():
    Session.update1({"mouse_id": 1, "session": 3, "traces": value(4)})
    check(same((Session & {"mouse_id": 1, "session": 3}).fetch1("traces"), value(4)), "update1")
    Session.update1({"mouse_id": 1, "session": 3, "traces": None})
    check((Session & {"mouse_id": 1, "session": 3}).fetch1("traces") is None, "update1 to NULL")
    Mouse.update1({"mouse_id": 1, "meta": {"cage": 9}})
    check((Mouse & {"mouse_id": 1}).fetch1("meta") == {"cage": 9}, "update1 of json")
    Mouse.update1({"mouse_id": 1, "meta": MICE[0]["meta"]})


@part("features")
def alters():
    table = Image
    table.definition += "    remark = '' : varchar(20)\n    more = null : <blob@main>\n"
    table().alter(prompt=False)
    Image.insert1({"image_id": 50, "more": value(2), "remark": "altered"})
    check(same((Image & "image_id = 50").fetch1("more"), value(2)), "a column that ALTER has added")
    (Image & "image_id = 50").delete()


@part("features")
def stages_objects():
    with Image.staged_insert1 as staged:
        staged.rec["image_id"] = 1
        with staged.open("picture", ".bin") as file:
            file.write(b"\x00picture")
    picture = (Image & "image_id = 1").fetch1("picture")
    with picture.open() as file:
        check(file.read() == b"\x00picture", "a staged object")
    Image.insert1({"image_id": 2, "grid": np.arange(6).reshape(2, 3)})
    check(same(np.asarray((Image & "image_id = 2").fetch1("grid")), np.arange(6).reshape(2, 3)), "npy")


@part("features")
def collects_garbage():
    Image.insert1({"image_id": 60, "more": np.full(1000, 7.5)})
    (Image & "image_id = 60").delete()
    collector = dj.gc.GarbageCollector(schema, store="main")
    before = collector.collect()
    check(before["hash_paths_orphaned"] >= 1 and before["schema_paths_orphaned"] == 0, before)
    done = collector.collect(dry_run=False)
    check(done["deleted"] == before["hash_paths_orphaned"] and not done["errors"], done)
    check(collector.collect()["hash_paths_orphaned"] == 0, "garbage after it was collected")
    rows = Session.to_dicts(order_by="mouse_id, session")
    check(all(same(row["traces"], wanted["traces"]) for row, wanted in zip(rows, SESSIONS)), "traces after that")


@part("read_old")
def learns_the_lineage_of_tables_of_the_old_program():
    # Which 0.14 does not write down; once, after it has declared tables.
    schema.rebuild_lineage()


@part("read_old")
def reads_tables_of_the_old_program():
    module = dj.VirtualModule("module", name)
    insertion, channel, probe = module.Insertion, module.Insertion.Channel, module.Probe
    heading = insertion.heading
    check((heading["image"].codec.name, heading["image"].store) == ("blob", "main"), heading["image"])
    check(heading["identity"].uuid and heading["image"].comment == "picture", heading["image"])
    row = (insertion & {"insertion": 1, "mouse_id": 1}).fetch1()
    check(same(row["image"], value(1)) and row["identity"] == uuid.UUID(int=101), row)
    check((row["kind"], row["flag"], float(row["depth"]), row["reference"]) == ("y", 1, 2.5, 3), row)
    other = (insertion & {"insertion": 2, "mouse_id": 1}).fetch1()
    check(other["reference"] is None and float(other["depth"]) == 1.5, other)
    check(same((probe & {"probe": "A"}).fetch1("geometry"), np.arange(6).reshape(2, 3)), "contents of a lookup table")
    gains, samples = channel.to_arrays("gain", "samples", order_by="mouse_id, insertion, channel")
    check(list(gains[:2]) == [0.5, 1.0] and same(samples[1], value(1)), "a part table")
    joined = (module.Session * insertion & {"mouse_id": 1}).to_dicts(order_by="insertion")
    check(len(joined) == 2 and same(joined[0]["traces"], value(2)) and same(joined[0]["image"], value(1)), "a join")


@part("read_old")
def reads_attachments_of_the_old_program():
    insertion = dj.VirtualModule("module", name).Insertion
    check((insertion.heading["log"].codec.name, insertion.heading["log"].store) == ("attach", "main"), insertion.heading)
    with open((insertion & {"insertion": 1, "mouse_id": 1}).fetch1("log"), "rb") as file:
        check(file.read() == b"log of 0.14", "an attachment")
    check((insertion & {"insertion": 2, "mouse_id": 1}).fetch1("log") is None, "none")


@part("read_old")
def reads_what_the_old_program_computed():
    declare_all()
    result = (Summary & {"mouse_id": 2, "session": 1}).fetch1()
    check(result["trials"] == 2 and result["result"] == {"by": "old", "size": 2}, result)
    check(len(Summary()) == 6, "populate of the old program")


@part("read_old")
def reads_what_the_old_program_inserted():
    row = (Mouse & "mouse_id = 4").fetch1()
    check(row["identity"] == uuid.UUID(int=4) and row["meta"] == {"cage": 4}, row)
    row = (Session & {"mouse_id": 4, "session": 1}).fetch1()
    check(same(row["traces"], value(7)) and same(row["inside"], value(1)), row)
    check(same((Session & {"mouse_id": 2, "session": 2}).fetch1("traces"), value(8)), "update1 of the old program")
    with open(row["attached"], "rb") as file:
        check(file.read() == b"by 0.14", "an attachment")


@part("write_old")
def writes_into_tables_of_the_old_program():
    insertion = dj.VirtualModule("module", name).Insertion
    key = {"mouse_id": 2, "session": 1, "insertion": 9}
    insertion.insert1({**key, "probe": "B", "identity": uuid.UUID(int=9), "image": value(9)})
    insertion.update1({**key, "image": value(3), "notes": "by the new program"})
    check(same((insertion & key).fetch1("image"), value(3)), "update1")


@part("write_old")
def populates_a_table_of_the_old_program():
    module = dj.VirtualModule("module", name)
    check((module.Score.heading["details"].codec.name, len(module.Score())) == ("blob", 1), "Score before")

    @dj.Schema(name, context={"Insertion": module.Insertion})
    class Score(dj.Computed):
        definition = """
        -> Insertion
        ---
        score : double
        details : <blob@main>
        """

        def make(self, key):
            self.insert1({**key, "score": 0.25, "details": {"by": "new"}})

    Score.jobs.refresh()
    Score.populate(reserve_jobs=True)
    check(len(Score()) == len(module.Insertion()), "populate")
    check(len(Score.jobs.errors) == 0, Score.jobs.errors.to_dicts())


@part("delete")
def deletes_in_tables_of_both():
    module = dj.VirtualModule("module", name)
    (module.Mouse & {"mouse_id": 1}).delete()
    check(len(module.Insertion & {"mouse_id": 1}) == 0 and len(module.Mouse()) == 2, "a cascade")


run(sys.argv[1])
