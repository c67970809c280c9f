"""Row (k): values through codecs that are not built in, against the same values in a plain `longblob`.

One codec twice: `spike_train` in Rust, of the program in `examples/`, and its like in the configuration. Both are inline,
so that no store is measured, and one client inserts and reads packed arrays of sorted `float64`.
"""

import random
import struct

import parts
import table

MEBIBYTE = 1 << 20
CODECS = """
[codecs.spikes]
chain = [{ step = "diff", to = "float32", from = "float64" }]
dtype = "<blob>"
lossy = true
validate = [{ type = "ndarray" }, { ndim = 1 }, { sorted = true }]
"""
# Values in a statement, and statements in a round.
SIZES = {"100 B": (100, 100, 50), "1 MiB": (MEBIBYTE, 1, 10)}
TABLES = {"plain": "", "in_rust": "COMMENT ':<spike_train>:'", "configured": "COMMENT ':<spikes>:'"}


def measure(bench, labels, rounds, quick):
    """Yields the rows of the table."""
    if "k" not in labels:
        return
    database = bench.mariadb()
    database.sql(
        "CREATE DATABASE own;"
        + "".join(f"CREATE TABLE own.{name} (data LONGBLOB {comment});" for name, comment in TABLES.items())
    )
    store, _ = bench.file_store()
    proxy = bench.proxy(database, store + CODECS, program=bench.lab_codecs)
    for title, (size, values, statements) in SIZES.items():
        statements = max(1, statements // 10) if quick else statements
        value = spikes(size)
        row = f"(X'{value.hex()}')"
        legs = {}
        for name in TABLES:
            file = bench.new_folder("statement") / "insert.sql"
            file.write_text(f"INSERT INTO own.{name} VALUES {','.join([row] * values)}")
            address = f"--address=127.0.0.1:{proxy.ports['bytes']}"
            write = bench.load("query", address, f"--file={file}", "--rows=0")
            read = bench.load("query", address, f"--sql=SELECT data FROM own.{name} LIMIT {values}", f"--rows={values}")
            legs[name] = {"insert": write, "select": read}
        for verb in ("insert", "select"):
            taken = {name: [] for name in TABLES}
            for _ in range(min(rounds, 7)):
                for name, leg in legs.items():
                    done = leg[verb].order(statements)
                    taken[name].append(done["seconds"] / done["units"] / values)
            yield row_of(f"{verb} of {title}: plain / codec in Rust / of the configuration", taken)


def spikes(size):
    """A packed array of so many bytes, sorted, as NumPy's `float64`."""
    count = size // 8
    source = random.Random(7)
    numbers = sorted(source.uniform(0, 1000) for _ in range(count))
    return b"mYm\0A" + struct.pack("<QQII", 1, count, 6, 0) + struct.pack(f"<{count}d", *numbers)


def row_of(title, taken):
    medians = {name: table.median(times) for name, times in taken.items()}
    slower = [table.median([own / plain for own, plain in zip(taken[name], taken["plain"])]) for name in list(TABLES)[1:]]
    return table.Row(
        "k",
        title,
        " / ".join(map(table.seconds, medians.values())),
        " / ".join(table.number(1 / value) for value in medians.values()) + " values/s",
        "",
        " / ".join(f"{ratio:.2f}" for ratio in slower),
        "",
        None,
    )
