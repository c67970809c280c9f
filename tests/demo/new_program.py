"""A program of today: DataJoint 2.3.5, which runs the codecs itself.

    new_program.py insert|fetch MOUSE/SESSION...

Which server it uses is in the environment, and its store in the `datajoint.json` of the folder
that it runs in, as with any DataJoint program.
"""

import sys

import datajoint as dj
from recordings import check, same, traces

imaging = dj.VirtualModule("imaging", "demo_imaging")


def insert(recordings):
    for mouse, session in recordings:
        row = {"mouse": mouse, "session": session, "depth": 150 + 10 * session, "traces": traces(mouse, session)}
        imaging.Recording.insert1(row)
        check(f"{mouse}, session {session}: inserted", bool(imaging.Recording & {"mouse": mouse, "session": session}))


def fetch(recordings):
    for mouse, session in recordings:
        row = (imaging.Recording & {"mouse": mouse, "session": session}).fetch1()
        equal = row["depth"] == 150 + 10 * session and same(row["traces"], traces(mouse, session))
        check(f"{mouse}, session {session}: fetched, and every value is equal", equal)


action, *names = sys.argv[1:]
recordings = [(mouse, int(session)) for mouse, session in (name.split("/") for name in names)]
{"insert": insert, "fetch": fetch}[action](recordings)
