"""Every built-in codec in both directions: python both_ways.py STEP. See `doors` for the environment.

DataJoint 2.3.5 writes through the `stored` listener (directly on a MySQL) and the proxy's clients
read; they write, and DataJoint reads directly. `store` is the name of the store under test: `main`.
"""

import base64
import datetime
import decimal
import io
import json
import os
import re
import sys
import tarfile
import tempfile
import uuid
from pathlib import Path

import datajoint as dj
import doors
import numpy as np
import pymysql
from common import check, grid_of, same, value
from datajoint.blob import pack, unpack
from datajoint.hash_registry import get_store_backend
from sides import column, declare, direct, in_bytes, in_json, insert, plain, refused
from values import identical

# Another way to the json view: chosen by the session.
turned = doors.pymysql_at("BYTES_PORT", "SET @codec_view = 'json'")
backend = get_store_backend("main", config=direct._config)
scratch = Path(tempfile.mkdtemp(dir="."))
TOKEN = r"[A-Za-z0-9_-]{%s}" % os.environ.get("TOKEN_LENGTH", "8")


def no_orphans(objects):
    """DataJoint's collector finds at least so many objects, and a row for each."""
    schema = dj.Schema(doors.name, connection=direct, create_tables=False)
    report = dj.gc.GarbageCollector(schema, store="main").collect(dry_run=True)
    orphans = {key: found for key, found in report.items() if "orphaned" in key and found}
    check(not orphans, f"orphans: {orphans}")
    seen = report["hash_paths_stored"] + report["schema_paths_stored"]
    check(seen >= objects, f"{seen} objects and not {objects}: {report}")
    # s3fs would otherwise answer from what has just been listed.
    backend.fs.invalidate_cache()


def anonymous(path):
    """A schema-addressed path without its token."""
    found = re.fullmatch(rf"(.*_){TOKEN}(\.[^/]*)?", path)
    check(found, f"no token in {path}")
    return found[1], found[2]


def blob():
    """A few values; `roundtrip.py` does many."""
    written, read = declare("Thing", "number : int32\n---\ninside = null : <blob>\noutside = null : <blob@main>\n")
    numbers = range(12)
    written.insert({"number": n, "inside": value(n), "outside": value(n)} for n in numbers)
    written.insert1({"number": 99})
    for name in ("inside", "outside"):
        found = column(in_bytes, "thing", name)
        check(found == {**{n: pack(value(n)) for n in numbers}, 99: None}, f"{name} in bytes")
        check(
            column(in_json, "thing", name) == column(turned, "thing", name),
            f"{name} in json, by listener and by session",
        )
    texts = column(in_json, "thing", "outside")
    insert(in_bytes, "thing", "outside", {100 + n: pack(value(n)) for n in numbers})
    insert(in_json, "thing", "outside", {200 + n: texts[n] for n in numbers})
    doors.rows(turned, "INSERT INTO thing (number, inside, outside) VALUES (300, %s, NULL)", [texts[3]])
    pointers = column(plain, "thing", "outside")
    for n in numbers:
        check(pointers[n] == pointers[100 + n] == pointers[200 + n], f"three pointers of row {n}")
    rows = {row["number"]: row for row in read.to_dicts()}
    for n in numbers:
        check(all(same(rows[n + copy]["outside"], value(n)) for copy in (0, 100, 200)), f"DataJoint reads row {n}")
    check(same(rows[300]["inside"], value(3)) and rows[300]["outside"] is None, "what the session wrote")
    no_orphans(5)


def attach():
    contents = {"a.txt": b"hello", "file é ✓.bin": bytes(range(256)) * 9, "empty": b"", "no text": b"\0\0'\"\\\n\xff"}
    written, read = declare("Attach", "number : int32\n---\ninside = null : <attach>\noutside = null : <attach@main>\n")
    for number, (name, content) in enumerate(contents.items()):
        (scratch / name).write_bytes(content)
        written.insert1({"number": number, "inside": scratch / name, "outside": str(scratch / name)})
    framed = {number: name.encode() + b"\0" + content for number, (name, content) in enumerate(contents.items())}
    for name in ("inside", "outside"):
        check(column(in_bytes, "attach", name) == framed, f"{name} in bytes")
        for number, text in column(in_json, "attach", name).items():
            found = json.loads(text)
            file, _, content = framed[number].partition(b"\0")
            told = (found["name"], found["size"], base64.b64decode(found["base64"]))
            check(told == (file.decode(), len(content), content), f"{name} in json: {text:.200}")
    texts = column(in_json, "attach", "outside")
    for name in ("inside", "outside"):
        start = 100 if name == "inside" else 200
        insert(in_bytes, "attach", name, {start + number: frame for number, frame in framed.items()})
        insert(in_json, "attach", name, {start + 50 + number: text for number, text in texts.items()})
        found = column(plain, "attach", name)
        for number in framed:
            check(
                found[number] == found[start + number] == found[start + 50 + number], f"{name} as stored, row {number}"
            )
    small = {"name": "ü.txt", "base64": base64.b64encode(b"small").decode()}
    insert(in_json, "attach", "outside", {300: json.dumps(small)})
    for row in read.proj().to_dicts():
        direct._config.download_path = str(Path(tempfile.mkdtemp(dir=scratch)))
        found = (read & row).fetch1()
        expected = ("ü.txt", b"small") if row["number"] == 300 else list(contents.items())[row["number"] % 50]
        for name in ("inside", "outside"):
            if found[name] is not None:
                path = Path(found[name])
                check((path.name.removesuffix("_1"), path.read_bytes()) == expected, f"{name} of row {row}: {path}")
    refused(in_json, "INSERT INTO attach (number, inside) VALUES (400, %s)", ['{"size": 3}'], "attach")
    no_orphans(5)


def hashed():
    values = dict(enumerate([b"", b"x", bytes(range(256)), b"mYm\0no blob", np.random.default_rng(1).bytes(70_000)]))
    written, read = declare("Hashed", "number : int32\n---\noutside = null : <hash@main>\n")
    written.insert({"number": number, "outside": content} for number, content in values.items())
    check(column(in_bytes, "hashed", "outside") == values, "in bytes")
    texts = column(in_json, "hashed", "outside")
    for number, text in texts.items():
        check(json.loads(text) == {"$bytes": base64.b64encode(values[number]).decode()}, f"in json: {text:.200}")
    insert(in_bytes, "hashed", "outside", {100 + number: content for number, content in values.items()})
    insert(in_json, "hashed", "outside", {200 + number: text for number, text in texts.items()})
    pointers = column(plain, "hashed", "outside")
    for number in values:
        check(pointers[number] == pointers[100 + number] == pointers[200 + number], f"three pointers of row {number}")
    for row in read.to_dicts():
        check(row["outside"] == values[row["number"] % 100], f"DataJoint reads {row}")
    no_orphans(len(values))


def tree(folder):
    """The files of a folder, by their names below it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def walked(ref):
    names = [f"{root}/{name}".lstrip("/") for root, _, names in ref.walk() for name in names]
    return {name: ref.open(name).read() for name in names}


def untar(archive):
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name.removeprefix("./"): tar.extractfile(member).read() for member in tar if member.isfile()}


def a_tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def told_files(text):
    return {file["path"]: base64.b64decode(file["base64"]) for file in json.loads(text)["files"]}


def obj():
    folder = scratch / "folder.zarr"
    files = {
        "a.txt": b"hello",
        "deep/er/b é.bin": bytes(range(256)),
        "deep/empty": b"",
        ".zgroup": b"{}",
        "n" * 120 + "/c": b"long",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    check(tree(folder) == files, "the folder itself")
    (scratch / "picture.tar.gz").write_bytes(b"picture")
    values = {
        0: b"some bytes \0\xff'",
        1: (".dat", b"with an extension"),
        2: ("dat", b"without a dot"),
        3: scratch / "picture.tar.gz",
        4: b"",
        5: folder,
        6: np.random.default_rng(2).bytes(300_000),
    }
    contents = {number: v if isinstance(v, bytes) else v[1] for number, v in values.items() if not isinstance(v, Path)}
    contents[3] = b"picture"
    extensions = {1: ".dat", 2: "dat", 3: ".gz"}
    written, read = declare("Obj", "number : int32\n---\nthing = null : <object@main>\n")
    written.insert({"number": number, "thing": content} for number, content in values.items())

    found = column(in_bytes, "obj", "thing")
    for number, content in contents.items():
        check(found[number] == content, f"row {number} in bytes: {found[number]!r:.100}")
    check(untar(found[5]) == files, f"a directory in bytes: {untar(found[5]).keys()}")
    metadata = {number: json.loads(text) for number, text in column(plain, "obj", "thing").items()}
    texts = column(in_json, "obj", "thing")
    for number, text in texts.items():
        told = json.loads(text)
        for key in ("path", "store", "size", "ext", "is_dir", "timestamp"):
            check(key not in told or told[key] == metadata[number][key], f"{key} of row {number} in json: {text:.300}")
        check(told["path"] == metadata[number]["path"] and told.get("is_dir", False) == (number == 5), f"{text:.300}")
        if number != 5:
            check(base64.b64decode(told["base64"]) == contents[number], f"row {number} in json: {text:.300}")
    check(told_files(texts[5]) == files, f"a directory in json: {texts[5]:.500}")

    insert(in_bytes, "obj", "thing", {100 + number: content for number, content in contents.items()})
    insert(in_json, "obj", "thing", {200 + number: text for number, text in texts.items()})
    as_folder = doors.pymysql_at("BYTES_PORT", "SET @codec_object = 'dir'")
    insert(as_folder, "obj", "thing", {105: a_tar(files), 108: a_tar({})})
    insert(in_json, "obj", "thing", {208: '{"is_dir": true, "files": []}'})
    check(untar(column(in_bytes, "obj", "thing")[108]) == {}, "an empty directory in bytes")
    insert(in_json, "obj", "thing", {301: json.dumps({"ext": ".txt", "base64": base64.b64encode(b"few").decode()})})
    some = [{"path": path, "base64": base64.b64encode(content).decode()} for path, content in files.items()]
    insert(in_json, "obj", "thing", {305: json.dumps({"is_dir": True, "files": some})})
    contents[1 + 300] = b"few"
    extensions[1 + 300] = ".txt"
    for row in read.to_dicts():
        number, ref = row["number"], row["thing"]
        kind = number % 100
        if kind == 8:
            check(ref.is_dir and ref.item_count == 0 and ref.size == 0, f"an empty directory: {ref.to_json()}")
        elif kind == 5:
            check(
                ref.is_dir and ref.ext is None and ref.item_count == len(files),
                f"metadata of {number}: {ref.to_json()}",
            )
            check(ref.size == sum(map(len, files.values())), f"size of {number}: {ref.size}")
            check(walked(ref) == files, f"DataJoint walks {number}: {walked(ref).keys()}")
            manifest = json.loads(backend.get_buffer(ref.path + ".manifest.json"))
            check(list(manifest) == ["files", "total_size", "item_count", "created"], manifest)
            check(
                {file["path"]: file["size"] for file in manifest["files"]} == {k: len(v) for k, v in files.items()},
                manifest,
            )
            check(datetime.datetime.fromisoformat(manifest["created"]).utcoffset() == datetime.timedelta(), manifest)
        else:
            content = contents[number] if number in contents else contents[kind]
            check(ref.read() == content and ref.size == len(content), f"DataJoint reads {number}: {ref.to_json()}")
            check(not ref.is_dir and ref.item_count is None, ref.to_json())
            if not 100 <= number < 200:
                ext = extensions.get(number, extensions.get(kind))
                check(ref.ext == ext, f"ext of {number}: {ref.ext!r} and not {ext!r}")
        check(ref.verify(), f"verify {number}")
        check(ref.timestamp.utcoffset() == datetime.timedelta(), ref.to_json())
        check(ref.store == "main", ref.to_json())
    after = {number: json.loads(text) for number, text in column(plain, "obj", "thing").items()}
    for number, told in after.items():
        check(list(told) == list(metadata[0]), f"keys of {number}: {list(told)}")
        start, extension = anonymous(told["path"])
        check(start == f"_schema/{doors.name}/obj/number={number}/thing_", told["path"])
        if 200 <= number < 207:
            check(extension == anonymous(metadata[number - 200]["path"])[1], told["path"])
    refused(as_folder, "INSERT INTO obj (number, thing) VALUES (400, %s)", [b"no tar at all"], "tar")
    refused(as_folder, "INSERT INTO obj (number, thing) VALUES (400, %s)", [a_tar({"../up": b"x"})], "")
    refused(
        in_json,
        "INSERT INTO obj (number, thing) VALUES (400, %s)",
        ['{"is_dir": true, "files": [{"path": "/x", "base64": ""}]}'],
        "",
    )
    no_orphans(len(after))


def other_writers():
    """Objects of `staged_insert1`, of DataJoint before 2.3.1, and pointers that nobody should follow."""
    written, read = declare(
        "Other",
        "number : int32\n---\nthing = null : <object@main>\npacked = null : <blob@main>\ngrid = null : <npy@main>\n",
    )
    with written.staged_insert1 as staged:
        staged.rec["number"] = 1
        with staged.open("thing", ".bin") as file:
            file.write(b"staged")
    with written.staged_insert1 as staged:
        staged.rec["number"] = 2
        staged.store("thing", ".zarr").update({"a/b": b"1", "c": b"22"})
    written.insert1({"number": 3, "thing": b"moved", "packed": value(3), "grid": grid_of(3)})

    def moved(number, name, folder):
        """The row's object also in another folder, and a row with a pointer there."""
        told = json.loads(column(plain, "other", name)[3])
        content = backend.get_buffer(told["path"])
        told["path"] = folder + told["path"].removeprefix("_schema/").removeprefix("_hash/").removeprefix(
            f"{doors.name}/"
        )
        if not folder.startswith("../"):
            backend.put_buffer(content, told["path"])
        doors.rows(plain, f"INSERT INTO other (number, {name}) VALUES (%s, %s)", [number, json.dumps(told)])

    moved(4, "thing", f"{doors.name}/")
    moved(5, "grid", f"{doors.name}/")
    for connection in (in_bytes, in_json):
        things = column(connection, "other", "thing")
        found = [
            content if connection is in_bytes else base64.b64decode(json.loads(content)["base64"])
            for content in (things[1], things[3], things[4])
        ]
        check(found == [b"staged", b"moved", b"moved"], f"{found}")
        check(
            (untar(things[2]) if connection is in_bytes else told_files(things[2])) == {"a/b": b"1", "c": b"22"},
            "a staged directory",
        )
    check(same(unpack(column(in_bytes, "other", "grid")[5]), grid_of(3)), "an array of DataJoint 2.3.0")
    planted = [
        (name, folder)
        for name in ("thing", "packed", "grid")
        for folder in (
            f"_schema/{doors.name}x/",
            f"_hash/{doors.name}x/",
            "_schema/",
            "",
            "raw/",
            f"{doors.name}x/",
            f"../_schema/{doors.name}/",
        )
    ] + [
        ("packed", f"_schema/{doors.name}/"),
        ("packed", f"{doors.name}/"),
        ("thing", f"_hash/{doors.name}/"),
        ("grid", f"_hash/{doors.name}/"),
    ]
    for number, (name, folder) in enumerate(planted, 10):
        moved(number, name, folder)
        for connection in (in_bytes, in_json):
            refused(connection, f"SELECT {name} FROM other WHERE number = %s", [number], "codec-proxy")
            connection.ping(reconnect=True)


def arrays():
    numbers = np.random.default_rng(3).normal(size=(3, 4, 5))
    structured = np.zeros(4, [("a", "<i4"), ("b é", "<f8"), ("c", "<M8[us]")])
    structured["a"], structured["b é"] = np.arange(4), np.nan
    found = [numbers, np.asfortranarray(numbers), numbers[:, ::2, 1], numbers.T, np.arange(6).reshape(2, 3)]
    found += [
        np.arange(10).astype(dtype)
        for dtype in ("bool", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", "c8", "c16")
    ]
    found += [np.array(2.5), np.empty((0, 3)), np.zeros((1, 1)), np.zeros((7, 1)), np.array([np.nan, -0.0, np.inf])]
    found += [np.array(["2020-02-29", "NaT"], f"M8[{unit}]") for unit in ("Y", "D", "s", "ns")]
    found += [structured, np.asfortranarray(np.zeros((2, 3), structured.dtype)), np.array([2**63, 2**64 - 1], "u8")]
    return dict(enumerate(found))


def odd_arrays():
    """What a `.npy` file can hold and a blob cannot."""
    return {
        1000: np.arange(5, dtype=">i4"),
        1001: np.array(["ab", "é✓😀"]),
        1002: np.arange(3, dtype="f2"),
        1003: np.array([b"ab", b"c"]),
        1004: np.array([5, 6], "m8[s]"),
        1005: np.zeros(2, [("p", "f4", (2, 2)), ("q", [("r", "i2")])]),
        1006: np.zeros(3, ">c16"),
        1007: np.zeros(2, np.dtype({"names": ["a", "b"], "formats": ["i1", "f8"], "offsets": [0, 8], "itemsize": 24})),
        1008: np.ones(2, [("✓", "u1")]),
    }


def packable(array):
    try:
        return bool(pack(array))
    except dj.DataJointError:
        return False


def saved(array):
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()


def as_plain(array):
    """Without what neither a file nor the json notation keeps: a class of NumPy's own records."""
    array = np.asarray(array)
    return array.view(np.dtype(array.dtype.descr)) if array.dtype.names and array.dtype.type is np.record else array


def npy():
    written, read = declare("Npy", "number : int32\n---\ngrid = null : <npy@main>\n")
    values, odd = arrays(), odd_arrays()
    written.insert({"number": number, "grid": array} for number, array in {**values, **odd}.items())
    metadata = {number: json.loads(text) for number, text in column(plain, "npy", "grid").items()}
    as_file = doors.pymysql_at("BYTES_PORT", "SET @codec_npy = 'npy'")
    for number, file in column(as_file, "npy", "grid").items():
        check(file == saved({**values, **odd}[number]), f"the file of {number}")
    found = dict(doors.rows(in_bytes, "SELECT number, grid FROM npy WHERE number < 1000"))
    for number, packed in found.items():
        check(
            packed == pack(values[number]),
            f"{values[number]!r:.200} in bytes: {packed.hex():.300} and not {pack(values[number]).hex():.300}",
        )
    for number, array in odd.items():
        try:
            (packed,) = doors.row(in_bytes, "SELECT grid FROM npy WHERE number = %s", [number])
        except pymysql.Error as error:
            check("codec-proxy" in str(error) and "npy" in str(error), f"{array.dtype}: {error}")
            in_bytes.ping(reconnect=True)
            continue
        # As DataJoint packs it, or, where it does not, a dtype that the format has.
        if not packable(array):
            check(np.array_equal(unpack(packed), array), f"{array.dtype} in bytes: {unpack(packed)!r:.200}")
        else:
            check(packed == pack(array), f"{array.dtype} in bytes: {packed.hex():.200}")
    for number, array in odd.items():
        try:
            (text,) = doors.row(in_json, "SELECT grid FROM npy WHERE number = %s", [number])
            insert(in_json, "npy", "grid", {2000 + number: text})
        except pymysql.Error as error:
            check("codec-proxy" in str(error) and "npy" in str(error), f"{array.dtype}: {error}")
            continue
        loaded = (read & f"number = {2000 + number}").fetch1("grid").load()
        check(
            loaded.shape == array.shape and np.array_equal(loaded, array),
            f"{array.dtype} by its text: {text:.300}, {loaded!r:.200}",
        )
    texts = dict(doors.rows(in_json, "SELECT number, grid FROM npy WHERE number < 1000"))
    for number, text in texts.items():
        told = json.loads(text)
        for key in ("path", "store", "dtype", "shape"):
            check(told[key] == metadata[number][key], f"{key} in json: {text:.300}")

    insert(in_bytes, "npy", "grid", {100 + number: pack(array) for number, array in values.items()})
    insert(in_bytes, "npy", "grid", {200 + number: saved(array) for number, array in values.items()})
    insert(in_bytes, "npy", "grid", {1000 + number: saved(array) for number, array in odd.items()})
    insert(in_json, "npy", "grid", {300 + number: text for number, text in texts.items()})
    bare = {400 + number: json.dumps(json.loads(text)["value"]) for number, text in texts.items()}
    insert(in_json, "npy", "grid", bare)
    insert(in_json, "npy", "grid", {501: '{"$array": "float64", "value": [[1.5, 2.0], [3.0, 4.0]]}'})
    after = {number: json.loads(text) for number, text in column(plain, "npy", "grid").items()}
    for row in (read & "number < 3000").to_dicts():
        number, ref = row["number"], row["grid"]
        if number == 501:
            check(identical(ref.load(), np.array([[1.5, 2.0], [3.0, 4.0]])), "a text written by a person")
            continue
        array = odd[number % 1000 + 1000] if number >= 1000 else values[number % 100]
        # A packed array without dimensions unpacks as a NumPy scalar.
        expected = np.asanyarray(unpack(pack(array))) if 100 <= number < 200 else array
        loaded = ref.load()
        check(
            identical(as_plain(loaded), as_plain(expected)),
            f"DataJoint loads {number}: {loaded!r:.200} {loaded.dtype} and not {expected!r:.200}",
        )
        # NumPy reads back what a numpy.save of the same array writes: its own header, to the byte.
        file = backend.get_buffer(ref.path)
        if 100 <= number < 300 or number >= 1000:
            wanted = saved(expected)
            check(file == wanted, f"file {number}: {file[:200]!r} and not {wanted[:200]!r}")
        else:
            check(
                file
                in (
                    saved(array),
                    saved(np.asfortranarray(array)),
                    saved(np.ascontiguousarray(array).reshape(array.shape)),
                ),
                f"file {number}: {file[:150]!r}",
            )
        check(sorted(after[number]) == ["dtype", "path", "shape", "store"], after[number])
        check(
            after[number]["dtype"] == str(as_plain(expected).dtype),
            f"dtype {after[number]} and not {as_plain(expected).dtype}",
        )
        check(after[number]["shape"] == list(array.shape), f"shape {after[number]}")
        start, extension = anonymous(after[number]["path"])
        check((start, extension) == (f"_schema/{doors.name}/npy/number={number}/grid_", ".npy"), after[number])
    insert(in_bytes, "npy", "grid", {502: pack(np.array([["ab", ""], ["é✓😀", "d"]]))})
    check(
        identical((read & "number = 502").fetch1("grid").load(), np.array([["ab", ""], ["é✓😀", "d"]])),
        "an array of texts",
    )
    after[502] = None
    for bad in ([1, 2], "text", np.array([{}, None], object), np.array(["a", 1], object)):
        refused(in_bytes, "INSERT INTO npy (number, grid) VALUES (9000, %s)", [pack(bad)], "<npy>")
    refused(in_json, "INSERT INTO npy (number, grid) VALUES (9000, %s)", ["[1, 2]"], "<npy>")
    no_orphans(len(after))


def filepath():
    written, read = declare("File", "number : int32\n---\nplace = null : <filepath@main>\n")
    backend.put_buffer(b"hello", "raw/a.bin")
    backend.put_buffer(b"", "raw/sp ace é/b+c&.bin")
    backend.put_buffer(b"x", "raw/folder/inner/c.bin")
    paths = {0: "raw/a.bin", 1: "raw/sp ace é/b+c&.bin", 2: "raw/folder"}
    written.insert({"number": number, "place": path} for number, path in paths.items())
    check(column(in_bytes, "file", "place") == paths, f"in bytes: {column(in_bytes, 'file', 'place')}")
    texts = column(in_json, "file", "place")
    metadata = {number: json.loads(text) for number, text in column(plain, "file", "place").items()}
    for number, text in texts.items():
        told = json.loads(text)
        for key in ("path", "store", "size", "is_dir", "timestamp"):
            check(told[key] == metadata[number][key], f"{key} in json: {text}")
    insert(in_bytes, "file", "place", {100 + number: path for number, path in paths.items()})
    insert(in_json, "file", "place", {200 + number: text for number, text in texts.items()})
    insert(in_json, "file", "place", {300: '"raw/a.bin"', 301: '{"path": "raw/sp ace é/b+c&.bin"}'})
    for number, text in column(plain, "file", "place").items():
        told, expected = json.loads(text), dict(metadata[number % 100])
        told.pop("timestamp"), expected.pop("timestamp")
        check(list(told.items()) == list(expected.items()), f"row {number} as stored: {text} and not {expected}")
    for row in read.to_dicts():
        number, ref = row["number"], row["place"]
        check(ref.path == paths[number % 100] and ref.is_dir == (number % 100 == 2), ref.to_json())
        check(ref.timestamp.utcoffset() == datetime.timedelta(), ref.to_json())
        if not ref.is_dir:
            check(ref.read() == backend.get_buffer(ref.path) and ref.verify(), f"row {number}")
    sql = "INSERT INTO file (number, place) VALUES (400, %s)"
    refused(in_bytes, sql, ["_hash/x"], "reserved section '_hash'")
    refused(in_bytes, sql, ["_schema/x"], "reserved section '_schema'")
    refused(in_bytes, sql, ["raw/nothing"], "not found")
    for bad in ("../raw/a.bin", "raw/../raw/a.bin", "/raw/a.bin", "file:///etc/passwd", ""):
        refused(in_bytes, sql, [bad], "codec-proxy")


def filepath_in_its_section():
    """Where the settings say `filepath_prefix = raw`."""
    filepath()
    backend.put_buffer(b"x", "other/a.bin")
    refused(in_bytes, "INSERT INTO file (number, place) VALUES (400, %s)", ["other/a.bin"], "must use prefix 'raw'")


def default_store():
    """DataJoint 2.3.5 declares these, reads them, and cannot write them."""
    definition = """
    number : int32
    ---
    packed = null : <blob@>
    attached = null : <attach@>
    hashed = null : <hash@>
    thing = null : <object@>
    grid = null : <npy@>
    """
    written, read = declare("Bare", definition)
    grid = grid_of(1)
    row = [pack(value(4)), b"a.txt\0attached", b"hashed", b"thing", pack(grid)]
    doors.rows(in_bytes, "INSERT INTO bare VALUES (1, %s, %s, %s, %s, %s)", row)
    shown = doors.row(in_json, "SELECT * FROM bare")
    doors.rows(in_json, "INSERT INTO bare VALUES (2, %s, %s, %s, %s, %s)", shown[1:])
    check(list(doors.row(in_bytes, "SELECT * FROM bare WHERE number = 2")[1:]) == row, "the copy in bytes")
    for number, *texts in doors.rows(plain, "SELECT * FROM bare"):
        check([json.loads(text)["store"] for text in texts] == ["main"] * 5, f"stores of {number}: {texts}")
    direct._config.download_path = str(scratch)
    for found in read.to_dicts():
        check(same(found["packed"], value(4)) and found["hashed"] == b"hashed", f"{found}")
        check(Path(found["attached"]).read_bytes() == b"attached" and found["thing"].read() == b"thing", f"{found}")
        check(same(np.ascontiguousarray(found["grid"].load()), grid), f"{found}")
    no_orphans(7)


def keys():
    """Keys of every type in the paths: the same rows written by DataJoint, then by the proxy."""
    definition = """
    subject_id : int32
    session : varchar(200)
    kind : enum('a','b/c')
    day : date
    at : datetime
    identity : uuid
    price : decimal(8,2)
    ratio : float64
    ---
    grid = null : <npy@main>
    thing = null : <object@main>
    packed = null : <blob@main>
    """
    written, read = declare("Keyed", definition)
    texts = [
        "plain",
        "with space",
        'a/b\\c:d*e?f"g<h>i|j',
        "é ✓",
        "100 %25 +~",
        "x" * 100,
        "y" * 101,
        "ü:" * 60,
        "a'b",
        "dot.",
        "=,&",
    ]
    rows = [
        {
            "subject_id": 5 - 3 * number,
            "session": text,
            "kind": ["a", "b/c"][number % 2],
            "day": datetime.date(2024, 2, 1 + number),
            "at": datetime.datetime(2024, 2, 29, 1, 2, number),
            "identity": uuid.UUID(int=number << 100),
            "price": decimal.Decimal("1.50") * number,
            "ratio": [0.5, 1e22, 1e-7, 3.0, -0.25, 0.1, 12345678.9][number % 7],
        }
        for number, text in enumerate(texts)
    ]
    grid = np.arange(3)
    for row in rows:
        written.insert1({**row, "grid": grid, "thing": (".dat", b"x"), "packed": grid})
    select = "SELECT subject_id, grid, thing, packed FROM keyed ORDER BY subject_id"
    before = {number: [json.loads(text)["path"] for text in pair] for number, *pair in doors.rows(plain, select)}
    doors.rows(plain, "DELETE FROM keyed")
    names = list(rows[0])
    for number, row in enumerate(rows):
        arguments = [v.bytes if isinstance(v, uuid.UUID) else v for v in row.values()]
        connection, sent, file = [
            (in_bytes, pack(grid), b"x"),
            (in_json, '{"$array":"int64","value":[0,1,2]}', '{"ext":".dat","base64":"eA=="}'),
        ][number % 2]
        doors.rows(
            connection,
            f"INSERT INTO keyed ({', '.join(names)}, grid, thing, packed) VALUES ({', '.join(['%s'] * (len(names) + 3))})",
            [*arguments, sent, file, sent],
        )
    after = {number: [json.loads(text)["path"] for text in pair] for number, *pair in doors.rows(plain, select)}
    check(after.keys() == before.keys(), "rows")
    for number in before:
        for old, new in zip(before[number][:2], after[number][:2]):
            # What is sent in bytes has no extension.
            check(anonymous(old)[0] == anonymous(new)[0], f"path\n{new} and not\n{old}")
        check(before[number][2] == after[number][2], f"path {after[number][2]} and not {before[number][2]}")
    for row in read.to_dicts():
        check(
            identical(row["grid"].load(), grid) and row["thing"].read() == b"x" and identical(row["packed"], grid), row
        )
        check(row["thing"].verify(), row)


def declare_old():
    """A table for DataJoint 0.14: native key, only codec columns."""
    written, read = declare("Old", OLD)
    backend.put_buffer(b"hello", "raw/a.bin")
    (scratch / "a é.txt").write_bytes(b"attached")
    for number in range(3):
        written.insert1(
            {
                "number": number,
                "traces": value(number),
                "grid": grid_of(number),
                "attached": scratch / "a é.txt",
                "place": "raw/a.bin",
            }
        )


def read_old():
    """What 0.14 has added."""
    read = dj.VirtualModule("direct", doors.name, connection=direct).Old
    direct._config.download_path = str(scratch)
    for row in (read & "number >= 100").to_dicts(order_by="number"):
        check(same(row["traces"], value(row["number"])), f"blob of {row}")
        loaded = row["grid"].load()
        check(same(np.ascontiguousarray(loaded), grid_of(row["number"])), f"npy of {row}: {loaded!r}")
        check(Path(row["attached"]).read_bytes() == b"attached by 0.14", f"attach of {row}")
        check(Path(row["attached"]).name.startswith("old file"), f"attach of {row}")
        check(row["place"].path == "raw/a.bin" and row["place"].read() == b"hello", f"filepath of {row}")
    check(len(read & "number >= 100") == 3, "rows")
    no_orphans(9)


OLD = """
number : int
---
traces = null : <blob@main>    # raw traces
grid = null : <npy@main>
attached = null : <attach@main>  # a file
place = null : <filepath@main>
"""


if __name__ == "__main__":
    for step in sys.argv[1:]:
        globals()[step]()
