"""Row (l): values through a codec in Python, against DataJoint Python running the same codec itself.

The codecs are two of `tests/packages`, inline so that no store is measured: `spike_train`, which is a little NumPy, and
`graph`, which is much Python. DataJoint is one process that inserts into the database and fetches from it directly.
codec-proxy gets the same values from the load generator, so that no client's own work is in its figure.
"""

import collections
import os

import parts
import table

LEAST_SHARE = 0.5
LEAST_GAIN = 1.6
# `size` is what the codec's value is made by; values in a statement, and statements in a round.
Kind = collections.namedtuple("Kind", "title codec size values statements")
KINDS = {
    "small": Kind("100 B", "spike_train", 100, 500, 8),
    "large": Kind("1 MiB", "spike_train", 1 << 20, 1, 24),
    "graphs": Kind("a graph of 100 nodes", "graph", 100, 50, 8),
}


def measure(bench, labels, rounds, quick):
    """Yields the rows of the table."""
    if "l" not in labels:
        return
    database = bench.mariadb()
    database.sql(
        "CREATE DATABASE python;"
        + "".join(f"CREATE TABLE python.{n} (data LONGBLOB COMMENT ':<{k.codec}>:');" for n, k in KINDS.items())
    )
    store, _ = bench.file_store()
    pool = f'\n[codecs.python]\ninterpreter = "{interpreter()}"\nworkers = '
    one, two = (bench.proxy(database, f"{store}{pool}{workers}\n") for workers in (1, 2))
    for name, kind in KINDS.items():
        statements = max(2, kind.statements // 10) if quick else kind.statements
        file = bench.new_folder("value") / "value"
        alone = data_joint(bench, database, name, kind, file)
        for verb in ("insert", "select"):
            legs = {
                "alone": (alone, f"{verb} {statements}"),
                "here": (load(bench, one, verb, name, kind, file, 1), statements),
                "one worker": (load(bench, one, verb, name, kind, file, 2), statements),
                "two workers": (load(bench, two, verb, name, kind, file, 2), statements),
            }
            for client, _ in list(legs.values())[1:]:
                client.order(2)  # a worker starts with the first call
            taken = {leg: [] for leg in legs}
            for _ in range(min(rounds, 7)):
                for leg, (client, order) in legs.items():
                    done = client.order(order)
                    taken[leg].append(done["seconds"] / done["units"] / kind.values)
            what = f"{verb} of {kind.title}"
            yield row_of(f"{what}, 1 worker: 2.3.5 alone / here", taken["alone"], taken["here"], LEAST_SHARE)
            yield row_of(f"{what}, 2 clients: 1 worker / 2", taken["one worker"], taken["two workers"], LEAST_GAIN)


def data_joint(bench, database, name, kind, file):
    """DataJoint with a table of its own and no proxy."""
    folder = bench.new_folder("datajoint")
    command = [interpreter(), str(parts.ROOT / "benches/datajoint_codec.py"), f"--port={database.ports['mysql']}"]
    command += [f"--account={parts.ACCOUNT}", f"--schema=alone_{name}", f"--codec={kind.codec}"]
    command += [f"--size={kind.size}", f"--values={kind.values}", f"--write={file}"]
    return bench.order_taker("datajoint", command, cwd=folder, env={**os.environ, "HOME": str(folder)})


def load(bench, proxy, verb, name, kind, file, clients):
    """So many clients of codec-proxy that send or fetch that value."""
    common = [f"--address=127.0.0.1:{proxy.ports['bytes']}", f"--clients={clients}"]
    if verb == "select":
        return bench.load(
            "query", *common, f"--sql=SELECT data FROM python.{name} LIMIT {kind.values}", f"--rows={kind.values}"
        )
    statement = bench.new_folder("statement") / "insert.sql"
    row = f"(X'{file.read_bytes().hex()}')"
    statement.write_text(f"INSERT INTO python.{name} VALUES {','.join([row] * kind.values)}")
    return bench.load("query", *common, f"--file={statement}", "--rows=0")


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
