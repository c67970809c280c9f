"""Row (l): values through a codec in Python, against DataJoint Python running the same codec itself.

The codec is `spike_train` of `tests/packages`: NumPy differences into an inline `<blob>`, so that no store is measured.
DataJoint is one process that inserts into the database and fetches from it directly. codec-proxy gets the same values
from the load generator, so that no client's own work is in its figure.
"""

import os

import own_codecs
import parts
import table

LEAST_SHARE = 0.5
LEAST_GAIN = 1.6
# By the name of the table: bytes of a value, values in a statement, and statements in a round.
SIZES = {"small": ("100 B", 100, 500, 8), "large": ("1 MiB", own_codecs.MEBIBYTE, 1, 24)}


def measure(bench, labels, rounds, quick):
    """Yields the rows of the table."""
    if "l" not in labels:
        return
    database = bench.mariadb()
    database.sql(
        "CREATE DATABASE python;"
        + "".join(f"CREATE TABLE python.{name} (data LONGBLOB COMMENT ':<spike_train>:');" for name in SIZES)
    )
    store, _ = bench.file_store()
    pool = f'\n[codecs.python]\ninterpreter = "{interpreter()}"\nworkers = '
    one, two = (bench.proxy(database, f"{store}{pool}{workers}\n") for workers in (1, 2))
    for name, (title, size, values, statements) in SIZES.items():
        statements = max(2, statements // 10) if quick else statements
        alone = data_joint(bench, database, size, values)
        for verb in ("insert", "select"):
            legs = {
                "alone": (alone, f"{verb} {statements}"),
                "here": (load(bench, one, verb, name, size, values, 1), statements),
                "one worker": (load(bench, one, verb, name, size, values, 2), statements),
                "two workers": (load(bench, two, verb, name, size, values, 2), statements),
            }
            for client, _ in list(legs.values())[1:]:
                client.order(2)  # a worker starts with the first call
            taken = {leg: [] for leg in legs}
            for _ in range(min(rounds, 7)):
                for leg, (client, order) in legs.items():
                    done = client.order(order)
                    taken[leg].append(done["seconds"] / done["units"] / values)
            yield row_of(f"{verb} of {title}, 1 worker: 2.3.5 alone / here", taken["alone"], taken["here"], LEAST_SHARE)
            yield row_of(
                f"{verb} of {title}, 2 clients: 1 worker / 2 workers", taken["one worker"], taken["two workers"], LEAST_GAIN
            )


def data_joint(bench, database, size, values):
    """DataJoint with a table of its own and no proxy."""
    file = bench.new_folder("value") / "value"
    file.write_bytes(own_codecs.spikes(size))
    folder = bench.new_folder("datajoint")
    command = [interpreter(), str(parts.ROOT / "benches/datajoint_codec.py"), f"--port={database.ports['mysql']}"]
    command += [f"--account={parts.ACCOUNT}", f"--value={file}", f"--values={values}"]
    return bench.order_taker("datajoint", command, cwd=folder, env={**os.environ, "HOME": str(folder)})


def load(bench, proxy, verb, name, size, values, clients):
    common = [f"--address=127.0.0.1:{proxy.ports['bytes']}", f"--clients={clients}"]
    if verb == "select":
        return bench.load("query", *common, f"--sql=SELECT data FROM python.{name} LIMIT {values}", f"--rows={values}")
    file = bench.new_folder("statement") / "insert.sql"
    row = f"(X'{own_codecs.spikes(size).hex()}')"
    file.write_text(f"INSERT INTO python.{name} VALUES {','.join([row] * values)}")
    return bench.load("query", *common, f"--file={file}", "--rows=0")


def interpreter():
    """The environment with DataJoint 2.3.5 and the packages."""
    return str(parts.TOOLS / "lab/bin/python")


def row_of(title, before, after, least):
    """The row for seconds per value; the ratio is how much faster `after` is."""
    ratio = table.median([a / b for a, b in zip(before, after)])
    medians = [table.median(times) for times in (before, after)]
    return table.Row(
        "l",
        title,
        " / ".join(map(table.seconds, medians)),
        " / ".join(table.number(1 / value) for value in medians) + " values/s",
        "",
        f"{ratio:.2f}",
        f"≥ {least}",
        ratio >= least,
    )
