"""A program as laboratories have them: DataJoint 0.14. It knows nothing of codec-proxy.

    old_program.py insert|fetch MOUSE/SESSION...

The only word in it that a program of before lacks is `<blob@main>` in a comment.
"""

import sys

import datajoint as dj
from recordings import check, same, traces

schema = dj.Schema("demo_imaging")


@schema
class Recording(dj.Manual):
    definition = """  # one imaging session of one mouse
    mouse    : varchar(12)
    session  : smallint
    ---
    depth    : float       # micrometres below the surface
    traces   : longblob    # <blob@main> raw traces
    """


def insert(recordings):
    check("the table is declared", Recording.is_declared)
    Recording.insert(
        {"mouse": mouse, "session": session, "depth": 150 + 10 * session, "traces": traces(mouse, session)}
        for mouse, session in recordings
    )
    check(f"{len(recordings)} recordings are inserted in one go", len(Recording()) == len(recordings))


def fetch(recordings):
    for mouse, session in recordings:
        row = (Recording & {"mouse": mouse, "session": session}).fetch1()
        equal = row["depth"] == 150 + 10 * session and same(row["traces"], traces(mouse, session))
        check(f"{mouse}, session {session}: fetched, and every value is equal", equal)


action, *names = sys.argv[1:]
recordings = [(mouse, int(session)) for mouse, session in (name.split("/") for name in names)]
{"insert": insert, "fetch": fetch}[action](recordings)
