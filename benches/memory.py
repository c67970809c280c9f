"""Row (h): the memory of the proxy process, fresh, with many idle clients, and while large values go through."""

import contextlib

import table

MEBIBYTE = 1 << 20
IDLE_CLIENTS = 500
IDLE_GOAL, CLIENT_GOAL, LARGE_GOAL = 20e6, 20e3, 1.5


def measure(bench, labels, rounds, quick):
    """Yields three rows of the table. The figures hardly vary, so each is measured once."""
    if "h" not in labels:
        return
    size = (64 if quick else 512) * MEBIBYTE
    database = bench.mariadb()
    database.sql(
        "CREATE DATABASE bench;"
        " CREATE TABLE bench.value (id INT PRIMARY KEY, data JSON COMMENT ':<blob@main>:one large value')"
    )
    store, _ = bench.file_store()
    yield from idle(bench, database, store)
    yield large(bench, database, store, size)


def idle(bench, database, store):
    with contextlib.ExitStack() as stack:
        proxy = bench.proxy(database, store, stack)
        fresh = proxy.resident()
        yield row("resident memory, idle", table.size(fresh), f"< {table.size(IDLE_GOAL)}", fresh < IDLE_GOAL)
        bench.load("hold", address(proxy), f"--clients={IDLE_CLIENTS}", stack=stack)
        each = (proxy.resident() - fresh) / IDLE_CLIENTS
        title = f"resident memory for each of {IDLE_CLIENTS} idle clients"
        yield row(title, table.size(each), f"< {table.size(CLIENT_GOAL)}", each < CLIENT_GOAL)


def large(bench, database, store, size):
    """The peak while one client inserts a value and another fetches one, again and again until the first is done."""
    options = ["--table=bench.value", f"--size={size}"]
    # The value to be fetched is written through an earlier proxy, whose memory does not count.
    with contextlib.ExitStack() as stack:
        proxy = bench.proxy(database, store, stack)
        bench.load("value", address(proxy), *options, "--id=1", stack=stack).order("put")
    with contextlib.ExitStack() as stack:
        proxy = bench.proxy(database, store, stack)
        writer = bench.load("value", address(proxy), *options, "--id=2", stack=stack)
        reader = bench.load("value", address(proxy), *options, "--id=1", stack=stack)
        writer.begin("put")
        reader.order("get")
        while not writer.has_answered():
            reader.order("get")
        writer.finish()
        peak = proxy.peak()
    title = f"peak while one client inserts and another fetches {size // MEBIBYTE} MiB"
    figure = f"{table.size(peak)} = {peak / size:.2f} of the value"
    return row(title, figure, f"< {LARGE_GOAL} of it", peak < LARGE_GOAL * size)


def address(proxy):
    return f"--address=127.0.0.1:{proxy.ports['bytes']}"


def row(title, figure, goal, met):
    return table.Row("h", title, "", "", "", figure, goal, met)
