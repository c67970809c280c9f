"""Rows (a) to (e), and the first of (j): what passes through, beside a direct connection and HAProxy.

Every leg has a load generator of its own, connected and warm. Round by round each leg gets the same work, in an order
that turns, and the CPU time that its proxy used meanwhile is read; the figures are medians over the rounds. The
database holds tables with codec columns, and the clients of codec-proxy use its `bytes` listener: it looks at every
statement.
"""

import contextlib
import dataclasses
import sys

import table

CODEC_TABLES = 30
POINTS = 100_000
NARROW_ROWS = 100_000
BLOBS, MEBIBYTE = 200, 1 << 20


@dataclasses.dataclass
class Case:
    label: str
    title: str
    unit: str
    load: list  # kind of load and its options
    units: int  # work per round: some tenths of a second of the proxy's CPU time
    goal: float  # codec-proxy's CPU time per unit, in HAProxy's
    proxysql: float | None  # ProxySQL's, measured once beside the same HAProxy: never to be exceeded


CASES = [
    Case("a", "point SELECT, 1 client", "statement", ["select", f"--ids={POINTS}"], 8_000, 1.0, 65.5 / 44.3),
    Case(
        "a",
        "point SELECT, 64 clients",
        "statement",
        ["select", f"--ids={POINTS}", "--clients=64"],
        15_000,
        1.0,
        44.5 / 38.4,
    ),
    Case(
        "b",
        "result of 100,000 narrow rows",
        "result",
        ["query", "--sql=SELECT id, a, b FROM bench.narrow", f"--rows={NARROW_ROWS}"],
        25,
        1.0,
        14.9 / 7.1,
    ),
    Case(
        "c",
        "result of 200 blobs of 1 MiB",
        "result",
        ["query", "--sql=SELECT data FROM bench.plain_blob", f"--rows={BLOBS}"],
        4,
        0.6,
        217 / 143,
    ),
    Case(
        "d",
        "INSERT of 1 MiB",
        "statement",
        ["insert", "--table=bench.sink", f"--size={MEBIBYTE}"],
        40,
        0.6,
        2.59 / 1.03,
    ),
    Case("j", "prepared point SELECT, 1 client", "statement", ["select", f"--ids={POINTS}", "--prepared"], 8_000, 1.0, None),
    Case("e", "connect and disconnect", "login", ["connect"], 1_500, 1.0, None),
]


def prepare(database):
    """The tables: some with codec columns, and those that the statements touch, without."""
    database.sql(
        f"""
        INSTALL SONAME 'ha_blackhole';
        CREATE DATABASE bench;
        USE bench;
        CREATE TABLE point (id INT PRIMARY KEY, name VARCHAR(32), value DOUBLE);
        INSERT INTO point SELECT seq, CONCAT('name of ', seq), seq / 7 FROM seq_1_to_{POINTS};
        CREATE TABLE narrow (id INT PRIMARY KEY, a INT, b VARCHAR(16));
        INSERT INTO narrow SELECT seq, seq * 3, CONCAT('b', seq) FROM seq_1_to_{NARROW_ROWS};
        CREATE TABLE plain_blob (id INT PRIMARY KEY, data LONGBLOB);
        INSERT INTO plain_blob SELECT seq, REPEAT(RANDOM_BYTES(1024), {MEBIBYTE // 1024}) FROM seq_1_to_{BLOBS};
        CREATE TABLE sink (id INT, data LONGBLOB) ENGINE = BLACKHOLE;
        """
    )
    for number in range(CODEC_TABLES):
        database.sql(
            f"CREATE TABLE bench.session_{number:02} (id INT PRIMARY KEY, note VARCHAR(80),"
            " traces JSON COMMENT ':<blob@main>:raw traces')"
        )


def measure(bench, labels, rounds, quick):
    """Yields a row of the table per case."""
    cases = [case for case in CASES if case.label in labels]
    if not cases:
        return
    database = bench.mariadb()
    prepare(database)
    legs = {"direct": None, "HAProxy": bench.haproxy(database)}
    store, _ = bench.file_store()
    legs["codec-proxy"] = bench.proxy(database, store)
    for case in cases:
        units = max(1, case.units // 8) if quick else case.units
        yield row_of(case, rounds_of(bench, database, case, legs, units, rounds))


@dataclasses.dataclass
class Round:
    latency: float  # seconds: the median of the round
    throughput: float  # units per second
    cpu: float  # seconds of the proxy per unit


def rounds_of(bench, database, case, legs, units, rounds):
    """The rounds of every leg."""
    with contextlib.ExitStack() as stack:
        loads = {}
        for name, proxy in legs.items():
            port = proxy.ports["bytes"] if proxy else database.ports["mysql"]
            kind, *options = case.load
            loads[name] = bench.load(kind, f"--address=127.0.0.1:{port}", *options, stack=stack)
            loads[name].order(max(1, units // 4))
        measured = {name: [] for name in legs}
        order = list(legs)
        for _ in range(rounds):
            for name in order:
                before = legs[name].cpu() if legs[name] else 0.0
                done = loads[name].order(units)
                used = legs[name].cpu() - before if legs[name] else 0.0
                throughput = done["units"] / done["seconds"]
                measured[name].append(Round(done["median"], throughput, used / done["units"]))
            order.append(order.pop(0))
            print(".", end="", file=sys.stderr, flush=True)
        return measured


def row_of(case, measured):
    def medians(field):
        return [table.median(getattr(one, field) for one in rounds) for rounds in measured.values()]

    _, haproxy, ours = medians("cpu")
    # Round by round, so that what disturbed one round disturbs both halves of a ratio.
    ratios = [a.cpu / b.cpu for a, b in zip(measured["codec-proxy"], measured["HAProxy"])]
    ratio = table.median(ratios)
    ceiling = f"; ProxySQL {case.proxysql:.2f}" if case.proxysql else ""
    return table.Row(
        case.label,
        case.title,
        " / ".join(map(table.seconds, medians("latency"))),
        " / ".join(map(table.number, medians("throughput"))) + " per s",
        f"{table.seconds(haproxy)} / {table.seconds(ours)} per {case.unit}",
        f"{ratio:.2f}",
        f"≤ {case.goal:.1f}{ceiling}",
        ratio <= case.goal,
    )
