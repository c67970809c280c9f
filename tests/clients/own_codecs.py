"""Codecs that are not built in, in the proxy and in Python: python own_codecs.py CODEC... See `doors`
for the environment.

Each codec of the proxy has a twin here, a class for DataJoint 2.3.5. A value is stored four times: by
DataJoint with the twin, through the `bytes` listener packed, through the `json` listener as the
text that DataJoint's own row reads as there, and through the `bytes` listener once more as it reads
there. All four must lie in the database and in the store as the same bytes, and DataJoint must read
the same value from all of them directly.
"""

import base64
import gzip
import json
import os
import pathlib
import sys
import zlib

import datajoint as dj
import doors
import numpy as np
from common import same
from datajoint.blob import pack, unpack

SCHEMA = pathlib.Path(__file__).with_name("config.schema.json")
FOLDERS = {name: store["location"] for name, store in json.loads(os.environ["DJ_STORES"]).items() if name != "default"}


class ZJson(dj.Codec):
    name = "zjson"

    def get_dtype(self, is_store):
        return "<blob>"

    def encode(self, value, *, key=None, store_name=None):
        return zlib.compress(json.dumps(value).encode("utf-8"))

    def decode(self, stored, *, key=None):
        return json.loads(zlib.decompress(stored).decode("utf-8"))


class Config(dj.Codec):
    name = "config"

    def get_dtype(self, is_store):
        return "json"

    def encode(self, config, *, key=None, store_name=None):
        return config

    def decode(self, stored, *, key=None):
        return stored


class SpikeTrain(dj.Codec, register=False):
    def get_dtype(self, is_store):
        return "<blob>"

    def encode(self, spike_times, *, key=None, store_name=None):
        return np.diff(spike_times, prepend=0).astype(np.float32)

    def decode(self, stored, *, key=None):
        return np.cumsum(stored).astype(np.float64)


class Spikes(SpikeTrain):
    """The twin of one in the configuration."""

    name = "spikes"


class RustSpikes(SpikeTrain):
    """The twin of `examples/lab_codecs/spike_train.rs`."""

    name = "spike_train"


class Gz(dj.Codec):
    name = "gz"

    def get_dtype(self, is_store):
        return "<hash>" if is_store else "bytes"

    def encode(self, value, *, key=None, store_name=None):
        return gzip.compress(json.dumps(value).encode("utf-8"), mtime=0)

    def decode(self, stored, *, key=None):
        return json.loads(gzip.decompress(stored))


class B64(dj.Codec):
    name = "b64"

    def get_dtype(self, is_store):
        return "varchar(2000)"

    def encode(self, value, *, key=None, store_name=None):
        return base64.b64encode(zlib.compress(json.dumps(value).encode("utf-8"))).decode()

    def decode(self, stored, *, key=None):
        return json.loads(zlib.decompress(base64.b64decode(stored)))


class Number(dj.Codec, register=False):
    def encode(self, value, *, key=None, store_name=None):
        return value

    def decode(self, stored, *, key=None):
        return stored


class Count(Number):
    name = "count"

    def get_dtype(self, is_store):
        return "int32"


class Real(Number):
    name = "real"

    def get_dtype(self, is_store):
        return "float64"


class Latin(dj.Codec):
    name = "latin"

    def get_dtype(self, is_store):
        return "bytes"

    def encode(self, value, *, key=None, store_name=None):
        return value.encode("latin-1")

    def decode(self, stored, *, key=None):
        return stored.decode("latin-1")


class Narrow(dj.Codec):
    name = "narrow"

    def get_dtype(self, is_store):
        return "<npy>"

    def encode(self, value, *, key=None, store_name=None):
        return value.astype(np.float32)

    def decode(self, stored, *, key=None):
        return stored.load().astype(np.float64)


class Rows(dj.Codec):
    name = "rows"

    def get_dtype(self, is_store):
        return "<blob>"

    def encode(self, value, *, key=None, store_name=None):
        return value.reshape(-1, 3)

    def decode(self, stored, *, key=None):
        return stored.reshape(-1)


class Four(dj.Codec):
    name = "four"

    def get_dtype(self, is_store):
        return "<zjson>"

    def encode(self, value, *, key=None, store_name=None):
        return json.dumps(value)

    def decode(self, stored, *, key=None):
        return json.loads(stored)


class Archive(dj.Codec):
    name = "archive"

    def get_dtype(self, is_store):
        return "<hash@cold>"

    def encode(self, value, *, key=None, store_name=None):
        return zlib.compress(json.dumps(value).encode("utf-8"))

    def decode(self, stored, *, key=None):
        return json.loads(zlib.decompress(stored))


class PackedBits(dj.Codec):
    name = "packed_bits"

    def get_dtype(self, is_store):
        return "<hash>" if is_store else "<blob>"

    def encode(self, mask, *, key=None, store_name=None):
        return len(mask).to_bytes(8, "little") + np.packbits(mask).tobytes()

    def decode(self, stored, *, key=None):
        bits = np.unpackbits(np.frombuffer(stored[8:], np.uint8))
        return bits[: int.from_bytes(stored[:8], "little")].astype(bool)


class Versioned(dj.Codec):
    name = "versioned"

    def get_dtype(self, is_store):
        return "<blob>"

    def encode(self, value, *, key=None, store_name=None):
        version = key.get("schema_version", 1) if key else 1
        if version >= 2:
            return {"v": 2, "data": {"optimized": True, "payload": value}}
        return {"v": 1, "data": value}

    def decode(self, stored, *, key=None):
        return stored["data"]["payload"] if stored["v"] >= 2 else stored["data"]


class Csv(dj.SchemaCodec):
    name = "csv"

    def encode(self, table, *, key=None, store_name=None):
        schema, name, field, pk = self._extract_context(key)
        path, _ = self._build_path(schema, name, field, pk, ext=".csv", store_name=store_name)
        text = "".join(",".join(map(repr, row.tolist())) + "\n" for row in table)
        self._get_backend(store_name).put_buffer(text.encode(), path)
        return {"path": path, "store": store_name, "shape": list(table.shape)}

    def decode(self, stored, *, key=None):
        text = self._get_backend(stored["store"]).get_buffer(stored["path"]).decode()
        rows = [[float(cell) for cell in line.split(",")] for line in text.splitlines()]
        return np.array(rows, float).reshape(stored["shape"])


RANDOM = np.random.default_rng(5)
JSON = [
    {"a": 1, "b": [1.5, None, True, "é😀"], "c": {"d": {}}},
    [],
    "text",
    1e22,
    {"long": list(range(2000)), "small": 1e-7, "big": 123456789012345678901234567890},
]
CONFIGS = [{"version": 1, "settings": {}}, {"version": 3, "settings": {"gain": 0.1, "names": ["ä", ""]}}]
SPIKES = [np.sort(RANDOM.uniform(0, 100, n)) for n in (0, 1, 7, 3000)] + [np.array([1, 2, 30])]
VALUES = {
    "zjson": JSON,
    "config": CONFIGS,
    "spikes": SPIKES,
    "spike_train": SPIKES,
    "gz": JSON,
    "b64": JSON[:4],
    "count": [0, -(2**31), 2**31 - 1],
    "real": [0.1, -1e-300, 1e22, 5.0, 1 / 3],
    "latin": ["", "déjà vu", "a'b\\c\"\n\x00\x80ÿ"],
    # A packed array has lost which index ran fastest; in the file it is the first.
    "narrow": [np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.array([0.5, -0.25])],
    "rows": [np.arange(12), np.array([], float), RANDOM.normal(size=3000)],
    "four": JSON,
    "archive": JSON,
    "packed_bits": [np.array([], bool), np.array([True, False, True]), RANDOM.random(40_001) < 0.3],
    "versioned": [{"a": np.arange(3)}, "text", 7],
    "csv": [np.array([[0.1, -2.0], [1e22, 3.0]]), RANDOM.normal(size=(50, 3))],
}
# How each codec is declared.
TYPES = {
    "config": ["<config>"],
    "b64": ["<b64>"],
    "count": ["<count>"],
    "real": ["<real>"],
    "latin": ["<latin>"],
    "narrow": ["<narrow@main>"],
    "archive": ["<archive>", "<archive@main>"],
    "csv": ["<csv@main>"],
}
# With the primary key.
COPIES = 1000


def main(codecs):
    schema = dj.Schema(doors.name, connection=doors.datajoint("STORED_PORT"))
    for codec in codecs:
        for number, type_ in enumerate(TYPES.get(codec, [f"<{codec}>", f"<{codec}@main>"])):
            try_type(schema, f"{codec}{number}", type_, VALUES[codec])


def try_type(schema, name, type_, values):
    title = "".join(part.capitalize() for part in name.split("_"))
    definition = f"""
    id : int32
    schema_version : int32
    ---
    data = null : {type_}  # it's data
    """
    table = schema(type(title, (dj.Manual,), {"definition": definition}))
    direct = dj.VirtualModule("direct", doors.name, connection=doors.datajoint())
    direct = getattr(direct, title)
    sql_name = f"`{doors.name}`.`{table.table_name}`"
    keys = [{"id": number, "schema_version": 1 + number % 2} for number in range(len(values))]
    (direct if doors.writes_directly else table).insert({**key, "data": value} for key, value in zip(keys, values))

    lanes = {"BYTES_PORT": COPIES, "JSON_PORT": 2 * COPIES, "again": 3 * COPIES}
    ports = {port: doors.pymysql_at(port.replace("again", "BYTES_PORT")) for port in lanes}
    for key, value in zip(keys, values):
        for port, more in lanes.items():
            sent = pack(value) if port == "BYTES_PORT" else doors.value(ports[port], f"SELECT data FROM {sql_name} WHERE id = {key['id']}")
            doors.rows(
                ports[port],
                f"INSERT INTO {sql_name} (id, schema_version, data) VALUES (%s, %s, %s)",
                (key["id"] + more, key["schema_version"], sent),
            )
    # NULL is NULL by every door.
    for port in ports:
        doors.rows(ports[port], f"INSERT INTO {sql_name} (id, schema_version, data) VALUES (%s, 1, NULL)", (90_000 + lanes[port],))
        check(doors.value(ports[port], f"SELECT data FROM {sql_name} WHERE id = {90_000 + lanes[port]}") is None, f"{type_}: NULL")

    plain = doors.pymysql_at("DJ_PORT")
    for key, value in zip(keys, values):
        own = stored(plain, sql_name, key["id"])
        wanted = (direct & key).fetch1("data")
        for port, more in lanes.items():
            copy = {**key, "id": key["id"] + more}
            what = f"{type_} {value!r:.100} by {port}"
            found = stored(plain, sql_name, copy["id"])
            # What a lossy codec makes of its own rounded value may be another one.
            if port == "BYTES_PORT" or same(wanted, value):
                check(found == own, f"{what}: stored as {found!r:.300} and not {own!r:.300}")
                check(same((direct & copy).fetch1("data"), wanted), f"{what}: DataJoint reads another value")
        read = doors.value(ports["BYTES_PORT"], f"SELECT data FROM {sql_name} WHERE id = {key['id']}")
        check(same(unpack(read), wanted), f"{type_} {value!r:.100}: reads as {unpack(read)!r:.300} and not {wanted!r:.300}")
    print(f"{type_}: {len(values)} values")


def stored(connection, table, number):
    """What lies in the row and in the store, without what differs by the place of an object."""
    found = doors.value(connection, f"SELECT data FROM {table} WHERE id = {number}")
    try:
        pointer = json.loads(found)
        store = pointer["store"]
    except (ValueError, TypeError, KeyError):
        return found
    content = pathlib.Path(FOLDERS[store], pointer.pop("path")).read_bytes()
    return pointer, content


def check(condition, what):
    if not condition:
        sys.exit(f"differs: {what}")


if __name__ == "__main__":
    main(sys.argv[1:])
