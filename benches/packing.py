"""Row (i): values packed and unpacked, against DataJoint 2.3.5 and, for an array, against a copy and its MD5."""

import os

import parts
import table

DICTS, FASTER = 100_000, 10
MEBIBYTE = 1 << 20
COPY_SHARE = 0.8


def measure(bench, labels, rounds, quick):
    """Yields the rows of the table. Both sides work on the same values and must make the same bytes."""
    if "i" not in labels:
        return
    dicts, size = (2_000, 4 * MEBIBYTE) if quick else (DICTS, 64 * MEBIBYTE)
    folder = bench.new_folder("values")
    script = [str(parts.TOOLS / "dj2/bin/python"), str(parts.ROOT / "benches/datajoint_blob.py")]
    command = [*script, f"--folder={folder}", f"--dicts={dicts}", f"--bytes={size}"]
    # It writes the packed values that the other one reads.
    python = bench.order_taker("datajoint", command, cwd=folder, env={**os.environ, "HOME": str(folder)})
    here = bench.order_taker("packer", [bench.packer, str(folder)])
    for order, what in (("each", f"{dicts:,} small dicts, a value each"), ("list", f"a list of {dicts:,} small dicts")):
        for verb in ("pack", "unpack"):
            taken = [both(python, here, f"{verb} {order}") for _ in range(min(rounds, 3))]
            yield against_python(f"{verb} {what}: 2.3.5 / codec-proxy", dicts, taken)
    for verb, title in (("pack", "pack and MD5"), ("unpack", "MD5, unpack and sum")):
        taken = []
        for _ in range(min(rounds, 9)):
            copy = here.order("copy array")["seconds"]
            taken.append((*both(python, here, f"{verb} array"), copy))
        what = f"{title} of {size // MEBIBYTE} MiB of float64: 2.3.5 / copy and MD5 / codec-proxy"
        yield against_copy(what, size, taken)


def both(python, here, order):
    """The seconds that DataJoint and codec-proxy take."""
    theirs, ours = python.order(order), here.order(order)
    if theirs.get("md5") != ours.get("md5"):
        raise parts.Failure(f"{order}: codec-proxy does not make the bytes that DataJoint makes")
    return theirs["seconds"], ours["seconds"]


def against_python(title, count, taken):
    ratio = table.median([theirs / ours for theirs, ours in taken])
    medians = [table.median(values) for values in zip(*taken)]
    return table.Row(
        "i",
        title,
        " / ".join(map(table.seconds, medians)),
        " / ".join(table.number(count / value) for value in medians) + " dicts/s",
        "",
        f"{ratio:.1f} times",
        f"≥ {FASTER} times",
        ratio >= FASTER,
    )


def against_copy(title, size, taken):
    ratio = table.median([copy / ours for _, ours, copy in taken])
    python, ours, copy = (table.median(values) for values in zip(*taken))
    medians = (python, copy, ours)
    return table.Row(
        "i",
        title,
        " / ".join(map(table.seconds, medians)),
        " / ".join(table.rate(size / value / 1e6, "MB") for value in medians),
        "",
        f"{ratio:.2f}",
        f"≥ {COPY_SHARE}",
        ratio >= COPY_SHARE,
    )
