"""Random values there and back: python roundtrip.py COUNT SEED. See `doors` for the environment.

Each value is packed into the row `<blob>` and into an object `<blob@main>` by DataJoint 2.3.5
through the `stored` listener. It must read as DataJoint's own bytes through the `bytes` listener.
The text that it reads as through the `json` listener is inserted there into another row, which
must then hold the very same bytes and name the very same object, and which DataJoint must read
directly as the value it would have read from its own.

Values that differ are printed with what they are made of, down to the smallest that differs
alone.
"""

import sys
import time

import datajoint as dj
import doors
import pymysql
from datajoint.blob import pack, unpack
from values import identical, parts, random_values, readable

CHUNK = 100


def main(count, seed):
    table = declare()
    lane = Lane(table)
    values = random_values(count, seed)
    if len(values) < count * 0.9:
        sys.exit(f"only {len(values)} of {count} values")
    faults = []
    started = time.monotonic()
    for first in range(0, len(values), CHUNK):
        faults += lane.faults(values[first : first + CHUNK])
    print(f"{len(values)} values of seed {seed}: {time.monotonic() - started:.1f} s, {len(faults)} differ")
    for value, what in faults[:5]:
        value, what = smallest(lane, value, what)
        print(f"seed {seed} count {count}: {what}\n  value  {value!r:.600}\n  packed {pack(value).hex():.600}")
    sys.exit(bool(faults))


def smallest(lane, value, what):
    """A part of the value that goes wrong by itself, and has no such part."""
    inner = lane.faults([part for part in parts(value) if part is not None])
    return smallest(lane, *inner[0]) if inner else (value, what)


def declare():
    schema = dj.Schema(doors.name, connection=doors.datajoint("STORED_PORT"))

    @schema
    class Thing(dj.Manual):
        definition = """
        number : int64
        ---
        inside = null : <blob>
        outside = null : <blob@main>
        """

    return Thing


class Lane:
    """One pass for a batch of values; rows are never used twice."""

    def __init__(self, table):
        self.direct = dj.VirtualModule("direct", doors.name, connection=doors.datajoint()).Thing
        self.written = self.direct if doors.writes_directly else table
        self.plain = doors.pymysql_at("DJ_PORT")
        self.bytes = doors.pymysql_at("BYTES_PORT")
        self.json = doors.pymysql_at("JSON_PORT")
        self.next = 0

    def faults(self, values):
        """The values that do not come through, each with what went wrong."""
        self.found = {}
        first, copies = self.next, self.next + len(values)
        self.next = copies + len(values)
        blobs = {first + at: pack(value) for at, value in enumerate(values)}
        self.written.insert({"number": first + at, "inside": value, "outside": value} for at, value in enumerate(values))
        for number, (inside, _) in self.raw(self.plain, blobs).items():
            if inside != blobs[number]:
                self.note(number, f"DataJoint packs it once so and once so: {inside.hex():.300}")
        for number, pair in self.raw(self.bytes, blobs).items():
            if pair != [blobs[number]] * 2:
                self.note(number, f"read in bytes: {pair!r:.300}")
        texts = self.raw(self.json, blobs)
        for number, (inside, outside) in texts.items():
            if inside != outside:
                self.note(number, f"one value, two texts: {inside!r:.300} and {outside!r:.300}")
        self.insert_texts({number + len(values): pair for number, pair in texts.items()}, len(values))
        stored = self.raw(self.plain, {number + len(values): None for number in texts})
        pointers = self.pointers()
        for copy, (inside, outside) in stored.items():
            number = copy - len(values)
            told = f"of {texts[number][0]!r:.400}"
            if inside != blobs[number]:
                self.note(number, f"other bytes {inside.hex():.400} {told}")
            if outside != pointers[number]:
                self.note(number, f"another object {outside!r} and not {pointers[number]!r} {told}")
        self.read(blobs, stored, len(values))
        return [(values[number - first], what) for number, what in sorted(self.found.items())]

    def note(self, number, what):
        self.found.setdefault(number, what)

    def raw(self, connection, numbers):
        """Both columns of the rows; a row that cannot be read is noted and left out."""
        sql = "SELECT number, inside, outside FROM thing WHERE number BETWEEN %s AND %s"
        found = {}

        def act(some):
            for number, *pair in doors.rows(connection, sql, (min(some), max(some))):
                found[number] = pair

        self.each(sorted(numbers), act, "reading", 0)
        return found

    def pointers(self):
        return dict(doors.rows(self.plain, "SELECT number, outside FROM thing"))

    def insert_texts(self, texts, offset):
        def act(some):
            values = ", ".join(["(%s, %s, %s)"] * len(some))
            arguments = [argument for number in some for argument in (number, *texts[number])]
            doors.rows(self.json, f"INSERT INTO thing (number, inside, outside) VALUES {values}", arguments)

        self.each(sorted(texts), act, "inserting the text", offset)

    def read(self, blobs, stored, offset):
        """What DataJoint makes of the rows that came from texts."""
        numbers = [number for number in stored if readable(blobs[number - offset])]
        for row in (self.direct & [f"number in ({','.join(map(str, numbers))})"]).to_dicts() if numbers else []:
            number = row["number"] - offset
            expected = unpack(blobs[number])
            for column in ("inside", "outside"):
                if not identical(row[column], expected):
                    self.note(number, f"DataJoint reads {row[column]!r:.300} and not {expected!r:.300}")

    def each(self, numbers, act, what, offset):
        """All at once, or one by one if that fails."""
        if not numbers:
            return
        try:
            act(numbers)
        except pymysql.Error as error:
            if len(numbers) == 1:
                self.note(numbers[0] - offset, f"{what}: {error}")
                return
            for connection in (self.plain, self.bytes, self.json):
                connection.ping(reconnect=True)
            half = len(numbers) // 2
            self.each(numbers[:half], act, what, offset)
            self.each(numbers[half:], act, what, offset)


main(int(sys.argv[1]), int(sys.argv[2]))
