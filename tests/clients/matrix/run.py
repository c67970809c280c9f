#!/usr/bin/env python3
"""Runs every driver of the matrix directly and through codec-proxy, compares, and prints a table as Markdown.

    run.py --proxy target/debug/codec-proxy [--only pymysql,go] [--verbose]

The database is a MariaDB of its own; where CODEC_PROXY_TESTS_MYSQL_PORT names the port of a MySQL whose root has no
password, it is a second one. Ends with 1 if anything differs that drivers.py does not know of.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import hashlib
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import servers
from drivers import DRIVERS
from tap import Tap

MEBIBYTE = 1 << 20
PATIENCE = 300  # seconds for one program
COLUMNS = ("data", "raw")
# What is left in the table when all steps are done: the names of the values by the row's note.
LEFT = {
    "1": ("1M", "1"),
    "1M": ("1M", "1M"),
    "17M": ("17M", "17M"),
    "null": (None, None),
    **{f"many {n}": ("1", "1") for n in (1, 2, 3)},
    "kept": ("1", "1"),
    "x" * 20: ("1", "1"),
}
MODES = {"plain": (False, False), "TLS": (True, False), "compression": (False, True)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--proxy", type=pathlib.Path, required=True)
    parser.add_argument("--only", help="names of drivers, by commas")
    parser.add_argument("--protocol", choices=("text", "prepared"))
    parser.add_argument("--server", choices=("MariaDB", "MySQL"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--verbose", action="store_true", help="every difference as it is found")
    arguments = parser.parse_args()
    chosen = [driver for driver in DRIVERS if not arguments.only or driver.name in arguments.only.split(",")]
    if not chosen:
        parser.error(f"no driver of that name; there are {', '.join(driver.name for driver in DRIVERS)}")
    for driver in [driver for driver in chosen if not is_there(driver)]:
        print(f"SKIPPED: {driver.title} is not installed")
        chosen.remove(driver)

    # So that the servers are ended then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="codec-proxy-matrix-")))
        values = make_values(folder / "in")
        databases = list(servers.start(arguments.proxy, arguments.server, folder, stack))
        work = [
            Lane(driver, server, protocol, values, folder)
            for server in databases
            for driver in chosen
            for protocol in driver.protocols
            if arguments.protocol in (None, protocol)
        ]
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            for lane in pool.map(Lane.run, work):
                print(f"{lane.title}: {lane.verdict()}", file=sys.stderr, flush=True)
                if arguments.verbose:
                    for fault in lane.faults:
                        print(f"    {fault}", file=sys.stderr)
    print("\n" + table(chosen, databases, work))
    return close(work)


def is_there(driver):
    try:
        return not driver.probe or subprocess.run(driver.probe, capture_output=True).returncode == 0
    except OSError:
        return False


def make_values(folder):
    """The values as files: packed byte arrays, and bytes of every value."""
    folder.mkdir()
    values = {}
    for name, size in {"0": 0, "1": 1, "1M": MEBIBYTE, "17M": 17 * MEBIBYTE}.items():
        values[name, "data"] = b"mYm\0A" + b"".join(
            number.to_bytes(width, "little") for number, width in ((1, 8), (size, 8), (9, 4), (0, 4))
        ) + noise(size)
        # One large value per row is enough.
        values[name, "raw"] = noise(size)[::-1] if size <= MEBIBYTE else bytes(range(256))
    for (name, column), value in values.items():
        (folder / f"{name}.{column}").write_bytes(value)
    return values


def noise(size):
    """Bytes of every value, in every neighbourhood; the same in every run."""
    return hashlib.shake_128(b"matrix").digest(size)


Fault = collections.namedtuple("Fault", ["mode", "step", "what", "reason"])


class Part:
    """The values that a program is to use, and what follows from them."""

    def __init__(self, values, without):
        self.without = tuple(without)
        self.values = {key: value for key, value in values.items() if key[0] not in without}
        self.left = {note: names for note, names in LEFT.items() if not set(names) & set(without)}
        self.steps = [step for step in STEPS if step.rpartition(" ")[2] not in without]


class Lane:
    """One driver with one protocol on one server: directly, and through the proxy in every mode."""

    numbers = itertools.count(1)

    def __init__(self, driver, server, protocol, values, folder):
        self.driver, self.server, self.protocol = driver, server, protocol
        self.values = values
        self.number = next(self.numbers)
        self.folder = folder / f"lane{self.number}"
        self.title = f"{server.name}, {driver.title}, {protocol}"
        self.modes = [mode for mode in MODES if mode != "compression" or driver.compression]
        self.faults, self.version, self.commands = [], "", set()

    def run(self):
        self.folder.mkdir()
        (self.folder / "in").symlink_to("../in")
        try:
            references = {}
            for mode in self.modes:
                part = Part(self.values, self.driver.without_in(self.protocol, mode))
                if part.without not in references:
                    references[part.without] = self.directly(part)
                if references[part.without] is not None:
                    with self.server.database(f"matrix_{os.getpid()}_{self.number}_through", is_marked=True) as database:
                        self.through(mode, part, database, references[part.without])
        except Exception as error:  # of the runner itself: it must not pass for a driver that works
            self.fault("*", "runner", f"{type(error).__name__}: {error}")
        return self

    def directly(self, part):
        """The outcomes without a proxy, TLS and compression."""
        with self.server.database(f"matrix_{os.getpid()}_{self.number}_direct", is_marked=False) as database:
            outcomes = self.program(part, database, self.server.port, "plain", "direct")
        if outcomes is None:
            return None
        if missing := [step for step in part.steps if step not in outcomes]:
            self.fault("direct", "program", f"has no step {', '.join(missing)}")
        self.version = outcomes.pop("driver", {}).get("version", "")
        self.commands = self.tap.commands
        return outcomes

    def through(self, mode, part, database, direct):
        through = self.program(part, database, self.server.proxy_port, mode, mode)
        if through is None:
            return
        through.pop("driver", None)
        for step in direct:
            if through.get(step) != direct[step]:
                self.fault(mode, step, brief(through.get(step)) + difference(direct[step]))
        tls, compression = MODES[mode]
        if (self.tap.tls, self.tap.compression) != (tls, compression):
            self.fault(mode, "connect", f"TLS {self.tap.tls}, compression {self.tap.compression}")
        if mode == "plain" and self.tap.commands != self.commands:
            self.fault(mode, "commands", f"{sorted(self.tap.commands)} in place of {sorted(self.commands)}")
        for fault in self.server.stored_faults(database, part.values, part.left):
            self.fault(mode, "stored", fault.replace(database, "DATABASE"))

    def program(self, part, database, port, mode, name):
        """The outcomes by step; None, and a fault of the mode `name`, if the program did not come to its end."""
        out = self.folder / "out"
        out.mkdir()
        self.server.warm()
        self.tap = Tap(port)
        tls, compression = ("on" if each else "off" for each in MODES[mode])
        account = ["127.0.0.1", str(self.tap.port), self.server.user, self.server.password, database]
        command = [*self.driver.command, *account, tls, compression, self.protocol, str(self.folder)]
        environment = {**os.environ, **self.driver.environment, "WITHOUT": ",".join(part.without)}
        try:
            done = subprocess.run(command, env=environment, capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE)
        except (OSError, subprocess.TimeoutExpired) as error:
            self.fault(name, "program", str(error)[-200:])
            return None
        finally:
            self.tap.close()
            read = {path.name: path.read_bytes() for path in out.iterdir()}
            for path in out.iterdir():
                path.unlink()
            out.rmdir()
        outcomes = {}
        for line in done.stdout.decode().splitlines():
            outcome = json.loads(line.replace(database, "DATABASE"))
            outcomes[outcome.pop("step")] = outcome
        if done.returncode:
            last = outcomes and list(outcomes)[-1]
            words = done.stderr.decode(errors="replace").strip()[-400:]
            self.fault(name, "program", f"ended with {done.returncode} after {last!r}: {words}")
            return None
        for (value, column), bytes_ in part.values.items():
            if read.get(f"{value}.{column}") != bytes_:
                self.fault(name, f"select {value}", f"{column} is not what was inserted")
        return outcomes

    def fault(self, mode, step, what):
        reason = self.driver.reason(self.server.name, self.protocol, mode, step)
        self.faults.append(Fault(mode, step, what, reason))

    def verdict(self):
        if not self.faults:
            return "as directly"
        known = sum(fault.reason is not None for fault in self.faults)
        return f"{len(self.faults) - known} differences" + (f", {known} known" if known else "")

    def works(self, *modes):
        return not any(fault.mode in (*modes, "direct", "*") for fault in self.faults)


STEPS = [
    "driver",
    *(f"insert {name}" for name in ("0", "1", "1M", "17M", "null")),
    *(f"select {name}" for name in ("0", "1", "1M", "17M", "null")),
    *("many", "update", "rollback", "commit", "duplicate", "unknown", "warning", "delete"),
]


def difference(direct):
    return "" if "error" not in direct else f" in place of {brief(direct)}"


def brief(outcome):
    text = json.dumps(outcome)
    return text if len(text) < 300 else text[:300] + "…"


def table(drivers, databases, work):
    """What works, by driver and server: both protocols, and whether the modes change anything."""
    names = [server.name for server in databases]
    whats = ("text", "prepared", "TLS", "compression")
    head = ["client", "", *(f"{server.name} {server.version}: {what}" for server in databases for what in whats)]
    lines = [head, ["---"] * len(head)]
    for driver in drivers:
        lanes = [lane for lane in work if lane.driver is driver]
        version = next((lane.version for lane in lanes if lane.version), "")
        cells = [driver.title, version]
        for name in names:
            of = {lane.protocol: lane for lane in lanes if lane.server.name == name}
            cells += [cell(of.get(protocol), "plain") for protocol in ("text", "prepared")]
            for mode in ("TLS", "compression"):
                having = [lane for lane in of.values() if mode in lane.modes]
                cells.append(worst(cell(lane, mode) for lane in having))
        lines.append(cells)
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def cell(lane, mode):
    if lane is None:
        return "—"
    faults = [fault for fault in lane.faults if fault.mode in (mode, "direct", "*")]
    if not faults:
        return "yes"
    return "**no**" if any(fault.reason is None for fault in faults) else "partly"


def worst(cells):
    cells = set(cells)
    return next((cell for cell in ("**no**", "partly", "yes") if cell in cells), "—")


def close(work):
    """Prints what differs and gives the exit code."""
    known, unknown = {}, {}
    for lane in work:
        for fault in lane.faults:
            if fault.reason is None:
                modes, steps = unknown.setdefault((lane.title, fault.what), ({}, {}))
                modes[fault.mode] = steps[fault.step] = None
            else:
                known.setdefault((lane.driver.title, fault.reason), {})[fault.step] = None
    print()
    for (title, what), (modes, steps) in unknown.items():
        print(f"{title} ({', '.join(modes)}): {', '.join(steps)}: {what}")
    for (title, reason), steps in known.items():
        print(f"known: {title}: {', '.join(steps)}: {reason}")
    print(f"{len(work)} lanes, {len(unknown)} unknown differences")
    return 1 if unknown or not work else 0


if __name__ == "__main__":
    sys.exit(main())
