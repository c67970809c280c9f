"""Writes the inputs to start from: python seeds.py, with NumPy.

Blobs and their texts come from the vectors of `tests/vectors`, in the form without compression
(a fuzzer cannot look through zlib), and one of each compressed.
"""

import gzip
import io
import json
import zlib
from pathlib import Path

import numpy as np

here = Path(__file__).parent
LARGEST = 600

POINTER = (
    '{"hash": "hrhtqewftfiaxo7bsigt4mfg64", "path": "_hash/exp2b/hrhtqewftfiaxo7bsigt4mfg64", '
    '"schema": "exp2b", "store": "main", "size": 152}'
)
TEXTS = {
    "plain": '{"a": [1, -2.5, 1e300, null, true, "\\u00e9\\ud83d\\ude00 \\"\\\\"], "": {}}',
    "int": '{"$int":"9223372036854775808"}',
    "nan": '[{"$float":"nan"}, {"$float":"-inf"}, {"$float":"0x7ff8000000000001"}, -0.0]',
    "complex": '{"$complex":[1.5,{"$float":"inf"}]}',
    "bytes": '{"$bytes":"AAH/"}',
    "decimal": '{"$decimal":"12.3400"}',
    "date": '[{"$date":"2020-02-29"},{"$time":"03:04:05.678901"},{"$datetime":"2020-02-29T13:04:05.678901"}]',
    "uuid": '{"$uuid":"12345678-1234-5678-1234-567812345678"}',
    "tuple": '{"$tuple":[1,{"$set":["a"]}]}',
    "dict": '{"$dict":[[1,"a"],[{"$tuple":[]},null],["$x",{}]]}',
    "array": '{"$array":"float64","shape":[2,3],"value":[[0.0,1.0,2.0],[3.0,4.0,"nan"]]}',
    "empty": '{"$array":"int8","shape":[0,3],"value":[]}',
    "bare": '{"$array":"uint64","value":["18446744073709551615",1]}',
    "complexes": '{"$array":"complex64","shape":[2],"value":[[1.0,-0.0],["nan",2.0]]}',
    "char": '{"$array":"char","shape":[1,5],"value":["hello"]}',
    "times": '{"$array":"datetime64[ns]","shape":[2],"value":["2020-02-29T00:00:00.000000001","NaT"]}',
    "scalar": '{"$scalar":"float64","value":2.5}',
    "objects": '{"$array":"object","shape":[2,1],"value":[[null],[{"a":1}]]}',
    "record": '{"$record":[["a",{"$array":"int32","shape":[2],"value":[1,2]}],["b",{"$array":"bool","shape":[2],"value":[true,false]}]]}',
    "cut": '{"$array":"float64","shape":[1000,1000],"cut":2,"value":[0.0,1.0]}',
    "deep": "[" * 60 + "]" * 60,
}
# What `parameters` of src/lib.rs begins with, then a command.
EXECUTE = "17 07000000 00 01000000"
COUNTED = "17 07000000 08 01000000"
BULK = "fa 07000000 8000"
PARAMETERS = {
    "execute": "04 00 ff 00" + EXECUTE + "02 01 0300 fc00 fc00 0880 05000000 02 6162 ffffffffffffffff",
    "again": "02 00 ff 02" + EXECUTE + "00 00 0300 05000000",
    "apart": "02 00 01 00" + EXECUTE + "00 01 0300 fc00 05000000",
    "none": "00 00 ff 00" + EXECUTE,
    "attributes": "01 01 ff 00" + COUNTED + "02 00 01 fc00 00 fc00 05 7472616365 02 6162 01 74",
    "times": "03 00 ff 00" + EXECUTE + "00 01 0a00 0b00 0c00 04 e407021d 08 01 01000000 020304"
    " 0b e407021d 0d0405 01000000",
    "null": "01 00 ff 00" + EXECUTE + "00 01 0600",
    "bulk": "02 00 ff 00" + BULK + "0300 fc00 00 01000000 00 02 6162 00 02000000 01 02 03",
    "bulk_again": "02 00 ff 02 fa 07000000 0000 00 01000000 00 02 6162",
    "row": "00 00 ff 04 00 03 fc 0a 02",
}
# Which step, which elements, and what is stored.
STEPS = {
    "json": b"\x00\x00" + TEXTS["plain"].encode(),
    "json_deep": b"\x00\x00" + TEXTS["deep"].encode(),
    "zlib": b"\x01\x00" + zlib.compress(b"SELECT 1 " * 20),
    "gzip": b"\x02\x00" + gzip.compress(b"SELECT 1 " * 20, mtime=0),
    "gzip_twice": b"\x02\x00" + gzip.compress(b"a", mtime=0) * 2,
    "zstd": bytes.fromhex("0300 28b52ffd2003190000616161"),
    "base64": b"\x04\x00YWJj",
    "utf8": "\x05\x00é".encode(),
    "utf16": b"\x06\x00\x00\xe9\xd8\x3d\xde\x00",
    "diff": b"\x07\x0a" + np.float32([0.5, 1, np.inf]).tobytes(),
    "cumsum": b"\x08\x08" + np.int64([1, 2, 2**63 - 1]).tobytes(),
    "cast": b"\x09\x0b" + np.float64([1, -2, 1e300]).tobytes(),
    "reshape": b"\x0a\x02" + bytes(6),
}
TYPES = [
    "<blob>",
    "<blob@main>",
    "<blob@>",
    "<hash>",
    "<attach@cold store>",
    "<@main>",
    "<a@b@c>",
    "<>",
    ":<blob@main>:raw: traces",
    ":int32:age",
    ":enum('a','b:c'):x",
    ":decimal(8, 2):",
    ":datetime(3):",
    "::",
    ":<a:b>:c",
    "<blob@main> raw traces",
    "  <blob> x",
    "<5 mV>",
    "<blob\n>",
    ":varchar(20):a\nb",
    ":<npy@main>:",
    "<filepath@raw>",
    "<object@> a folder",
]


def write(target, name, content):
    folder = here / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def frame(contents, claimed=0):
    return len(contents).to_bytes(3, "little") + b"\0" + claimed.to_bytes(3, "little") + contents


# The first byte: 1 for zstd, and how many bytes arrive at a time.
PACKED = zlib.compress(b"SELECT 1 " * 20)
FRAMES = {
    "plain": b"\x10" + frame(b"\x01\0\0\0\x0e"),
    "zlib": b"\x10" + frame(PACKED, 180) + frame(b"x"),
    "short": b"\x10" + frame(PACKED, 179),
    "long": b"\x10" + frame(PACKED, 181),
    "more": b"\xfe" + frame(PACKED + b"x", 180),
    "cut": b"\x02" + frame(PACKED[:-1], 180),
    "zstd": b"\x11" + frame(bytes.fromhex("28b52ffd60b400850000485345454c4543542031200100ea2b2a"), 180),
    "empty": b"\x11" + frame(b"") + frame(b"", 5),
}


def main():
    compressed = 0
    for vector in json.loads((here / "../tests/vectors/blob_vectors.json").read_text()):
        plain, stored = (bytes.fromhex(vector.get(key) or "") for key in ("hex_uncompressed", "hex_as_stored"))
        if plain and len(plain) <= LARGEST:
            write("blob", vector["name"], plain)
        elif stored.startswith(b"ZL123") and len(stored) <= LARGEST and compressed < 3:
            compressed += 1
            write("blob", f"{vector['name']}_compressed", stored)
    for name, text in TEXTS.items():
        write("json", name, text)
    for number, text in enumerate(TYPES):
        write("types", str(number), text)
    write("pointer", "whole", POINTER)
    write("pointer", "sorted", json.dumps(json.loads(POINTER), sort_keys=True, separators=(",", ":")))
    write("pointer", "short", '{"path":"a/b","hash":"x","store":null}')
    write("pointer", "null", "null")
    write("pointer", "outside", POINTER.replace("_hash/exp2b", "../.."))
    write("pointer", "unicode", POINTER.replace("exp2b", "\\u00e9\\ud83d\\ude00"))
    write("pointer", "twice", POINTER.replace('"size": 152', '"path": "x", "size": -1'))
    for number, array in enumerate(arrays()):
        out = io.BytesIO()
        np.save(out, array, allow_pickle=False)
        write("npy", str(number), out.getvalue())
    for name, command in PARAMETERS.items():
        write("parameters", name, bytes.fromhex(command))
    for name, frames in FRAMES.items():
        write("frames", name, frames)
    for name, stored in STEPS.items():
        write("steps", name, stored)
    for version in [(2, 0), (3, 0)]:
        out = io.BytesIO()
        np.lib.format.write_array(out, np.arange(3), version)
        write("npy", f"version_{version[0]}", out.getvalue())


def arrays():
    yield from (
        np.arange(3).astype(dtype)
        for dtype in "? i1 u2 i4 u8 f2 f4 f8 c8 c16 >i4 M8[ns] M8[25s] m8[s] S3 U2 V4".split()
    )
    yield np.asfortranarray(np.ones((2, 3)))
    yield np.float64(2.5)
    yield np.empty((0, 3, 2))
    yield np.zeros(2, [("a", "<i4"), ("b é", "<f8", (2, 2)), ("c", [("d", "?")])])
    yield np.zeros(2, np.dtype({"names": ["a", "b"], "formats": ["i1", "f8"], "offsets": [0, 8], "itemsize": 24}))


main()
