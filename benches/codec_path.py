"""Rows (f), (g) and (j): values through their codec, against what a user has without the proxy and what the hash costs."""

import json
import os
import shutil

import parts
import table

ROWS, VALUE = 787, 60_000  # the program of datajoint-python issue #806
REQUEST_DELAY = 10  # milliseconds
SPEED_UP = 25
MEBIBYTE = 1 << 20
MD5_SHARE = 0.6
LONG_DATA_MEMORY = 200e6


def measure(bench, labels, rounds, quick):
    """Yields the rows of the table."""
    if "f" in labels:
        yield from many_values(bench, 1 if quick else min(rounds, 3), 100 if quick else ROWS)
    if "g" in labels:
        yield from one_large_value(bench, min(rounds, 7), (64 if quick else 256) * MEBIBYTE)
    if "j" in labels:
        yield from one_large_value(bench, min(rounds, 7), (64 if quick else 256) * MEBIBYTE, "prepared")
        # A row with it still has 1 GiB, the default of limits.row_bytes.
        size = (64 if quick else 1024) * MEBIBYTE - 64
        yield from one_large_value(bench, min(rounds, 3), size, "long-data")


def many_values(bench, rounds, count):
    """DataJoint 2.3.5 with the store in its own hands, against DataJoint 0.14 with the store behind codec-proxy.

    Both use the same bucket of the same server, where every request takes 10 ms. On MariaDB 2.3.5 cannot insert into
    `<blob@store>` unless the column is reported as JSON, so its connection goes through the `stored` listener, which does
    that and passes all else as it is; its objects go from the client straight to the store.
    """
    database = bench.mariadb()
    server = bench.s3_server()
    endpoint = f"127.0.0.1:{bench.delay(server.ports['s3'], REQUEST_DELAY).ports['http']}"
    store = {
        "protocol": "s3",
        "endpoint": endpoint,
        "bucket": parts.BUCKET,
        "location": "lab",
        "access_key": parts.ACCOUNT,
        "secret_key": parts.ACCOUNT,
        "secure": False,
    }
    proxy = bench.proxy(database, "".join(f"{key} = {json.dumps(value)}\n" for key, value in store.items()))

    def client(environment, view, **stores):
        folder = bench.new_folder(environment)
        account = ["--host=127.0.0.1", f"--user={parts.ACCOUNT}", f"--password={parts.ACCOUNT}"]
        command = [str(parts.TOOLS / environment / "bin/python"), str(parts.ROOT / "benches/datajoint_client.py")]
        command += [*account, f"--port={proxy.ports[view]}", f"--schema=bench_{environment}"]
        return bench.order_taker(
            environment,
            [*command, f"--rows={count}", f"--size={VALUE}"],
            cwd=folder,
            env={**os.environ, "HOME": str(folder), **stores},
        )

    old = client("dj0", "bytes")
    new = client("dj2", "stored", DJ_STORES=json.dumps({"default": "main", "main": store}))
    for kind in ("noise", "events"):
        times = {f"insert {kind}": [], "fetch": []}
        for _ in range(rounds):
            for order, taken in times.items():
                taken.append((new.order(order), old.order(order)))
            new.order("clear")
            old.order("clear")
        for order, taken in times.items():
            title = f"{order.split()[0]} of {count} arrays of {VALUE // 1000} kB, {kind}: 2.3.5 alone / 0.14.10 here"
            yield speed_up(title, count, taken)


def speed_up(title, count, taken):
    """The row for pairs of answers, of DataJoint alone and of DataJoint through codec-proxy."""
    alone, here, own = (
        table.median(values) for values in zip(*((a["seconds"], b["seconds"], b["cpu"]) for a, b in taken))
    )
    ratio = table.median([a["seconds"] / b["seconds"] for a, b in taken])
    return table.Row(
        "f",
        title,
        f"{table.seconds(alone)} / {table.seconds(here)}, {table.seconds(own)} of it the client's CPU",
        " / ".join(table.number(count / value) for value in (alone, here)) + " rows/s",
        "",
        f"{ratio:.1f} times",
        f"≥ {SPEED_UP} times",
        ratio >= SPEED_UP,
    )


WAYS = {"text": ("g", ""), "prepared": ("j", ", prepared"), "long-data": ("j", " as LONG_DATA")}


def one_large_value(bench, rounds, size, protocol="text"):
    """The speed of one value into and out of a store in a folder, in that of MD5, which it must pass through; for
    LONG_DATA also the memory that it takes."""
    label, way = WAYS[protocol]
    database = bench.mariadb()
    database.sql(
        "CREATE DATABASE bench;"
        " CREATE TABLE bench.value (id INT PRIMARY KEY, data JSON COMMENT ':<blob@main>:one large value')"
    )
    store, folder = bench.file_store()
    proxy = bench.proxy(database, store)
    address = f"--address=127.0.0.1:{proxy.ports['bytes']}"
    load = bench.load("value", address, "--table=bench.value", f"--size={size}", f"--protocol={protocol}")
    times, used = {order: [] for order in ("md5", "put", "get")}, {"put": [], "get": []}
    for _ in range(rounds + 1):  # the first warms up
        for order in ("put", "get", "md5"):
            before = proxy.cpu()
            times[order].append(load.order(order)["seconds"])
            if order in used:
                used[order].append(proxy.cpu() - before)
        for child in folder.iterdir():
            shutil.rmtree(child)
    times, used = ({order: values[1:] for order, values in each.items()} for each in (times, used))
    for order, title in (("put", "into"), ("get", "out of")):
        ratio = table.median([a / b for a, b in zip(times["md5"], times[order])])
        both = [table.median(times[one]) for one in ("md5", order)]
        yield table.Row(
            label,
            f"{round(size / MEBIBYTE)} MiB{way} {title} a file store: MD5 on one core / codec-proxy",
            " / ".join(map(table.seconds, both)),
            " / ".join(table.rate(size / value / 1e6, "MB") for value in both),
            f"{table.seconds(table.median(used[order]))}",
            f"{ratio:.2f}",
            f"≥ {MD5_SHARE}",
            ratio >= MD5_SHARE,
        )
    if protocol == "long-data":
        yield table.Row(
            label,
            f"peak memory of that: {round(size / MEBIBYTE)} MiB in and out, {rounds + 1} times",
            "",
            "",
            "",
            table.size(proxy.peak()),
            f"< {table.size(LONG_DATA_MEMORY)}",
            proxy.peak() < LONG_DATA_MEMORY,
        )
