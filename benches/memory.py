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
    with contextlib.ExitStack() as stack:
        # The value that is fetched later is written through a proxy of its own: its memory is not to be counted.
        with contextlib.ExitStack() as early:
            proxy = bench.proxy(database, store, early)
            port = proxy.ports["bytes"]
            reader = bench.load("value", address(proxy), "--table=bench.value", f"--size={size}", stack=stack)
            reader.order("put")
        proxy = bench.proxy(database, store, stack)
        writer = bench.load("value", address(proxy), "--table=bench.value", f"--size={size}", "--id=2", stack=stack)
        reader.order_begin(f"at {proxy.ports['bytes']}")
    ...


def address(proxy):
    return f"--address=127.0.0.1:{proxy.ports['bytes']}"


def row(title, figure, goal, met):
    return table.Row("h", title, "", "", "", figure, goal, met)
