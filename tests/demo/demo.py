#!/usr/bin/env python3
"""Shows what codec-proxy is for, step by step, and checks every step.

    demo.py --proxy target/debug/codec-proxy      on a sandbox of its own, gone afterwards
    demo.py --at place.json                       on a codec-proxy that runs elsewhere

Ends with 1 if any check differs, with 2 if the demonstration could not be held.
"""

import argparse
import base64
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOLS = Path(os.environ.get("CODEC_PROXY_TOOLS") or HERE.parents[1] / "target/tools")
SCHEMA = "demo_imaging"
FIRST = ["otto/1", "otto/2", "ada/1"]
LATER = "ada/2"


class CannotGoOn(Exception):
    """The demonstration itself is broken: a part did not start, or answered nothing."""


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    where = options.add_mutually_exclusive_group(required=True)
    where.add_argument("--proxy", type=Path, help="the codec-proxy to start a sandbox with")
    where.add_argument("--at", type=Path, help="JSON file with the addresses of one that runs")
    arguments = options.parse_args()
    # Every way to be ended leads through the clean-up below.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))

    report = Report()
    try:
        with tempfile.TemporaryDirectory(prefix="codec-proxy-demo-") as folder:
            if arguments.at:
                hold_elsewhere(report, json.loads(arguments.at.read_text()), Path(folder))
            else:
                with Sandbox(arguments.proxy, Path(folder)) as sandbox:
                    hold(report, sandbox.place, Path(folder))
                sandbox.check_nothing_left(report)
    except CannotGoOn as reason:
        print(f"\nThe demonstration cannot go on: {reason}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped; everything is removed.", file=sys.stderr)
        return 130
    return report.close()


def hold_elsewhere(report, place, folder):
    """On a database that stays: what the demonstration makes there is dropped again."""
    if query(place, "bytes", f"SHOW DATABASES LIKE '{SCHEMA}'"):
        raise CannotGoOn(f"the database has a schema {SCHEMA} already; if it is of no use, drop it")
    try:
        hold(report, place, folder)
    finally:
        client(place, "bytes", statement=f"DROP DATABASE IF EXISTS {SCHEMA}")


def hold(report, place, folder):
    """The steps."""
    old = Program(place, folder, "dj0", "old_program.py", "bytes")
    new = Program(place, folder, "dj2", "new_program.py", "database")
    new_by_proxy = Program(place, folder, "dj2", "new_program.py", "stored")

    report.step("An old program stores its recordings, through codec-proxy")
    report.say(
        "The program is written for DataJoint 0.14. One comment in its table definition is new:",
        "    traces : longblob    # <blob@main> raw traces",
    )
    report.run(old, "insert", FIRST)
    report.run(old, "fetch", FIRST)

    report.step("Where the recordings are")
    look_into_the_database(report, place)

    report.step("A new program reads the same recordings without the proxy, and adds one")
    report.say("The program is written for DataJoint 2.3.5 and talks to the database directly.")
    report.run(new, "fetch", FIRST)
    tell_whether_a_direct_insert_works(report, new)
    report.say("Through the proxy's second port, which shows the columns as they are stored:")
    report.run(new_by_proxy, "insert", [LATER])
    report.run(new, "fetch", [LATER])
    report.say("The old program, through its own port:")
    report.run(old, "fetch", [LATER])

    report.step("What the old program's port shows of the table")
    look_through_the_proxy(report, place)

    report.step("What a person reads and writes at the mariadb prompt")
    read_and_write_as_json(report, place)


def look_into_the_database(report, place):
    """Step 2: the column's type and comment, the row's pointer, and the object it points to."""
    report.say("In the database itself:")
    [(column_type, comment)] = query(
        place,
        "database",
        "SELECT column_type, column_comment FROM information_schema.columns"
        f" WHERE table_schema = '{SCHEMA}' AND table_name = 'recording' AND column_name = 'traces'",
    )
    [(_, definition)] = query(place, "database", f"SHOW CREATE TABLE {SCHEMA}.recording")
    is_json = column_type == "json" or (column_type == "longtext" and "json_valid(`traces`)" in definition)
    spelled = "" if column_type == "json" else " (which MariaDB spells longtext, checked to be JSON)"
    report.check(f"the column is json{spelled}", is_json, column_type)
    report.check("its comment is  :<blob@main>:raw traces", comment == ":<blob@main>:raw traces", comment)

    rows = query(
        place,
        "database",
        "SELECT mouse, session, IF(JSON_VALID(traces), traces, '(no JSON)')"
        f" FROM {SCHEMA}.recording ORDER BY mouse, session",
    )
    report.check(f"there are {len(FIRST)} rows", len(rows) == len(FIRST), f"{len(rows)} rows")
    for mouse, session, text in rows:
        try:
            pointer = json.loads(text)
            small = set(pointer) == {"hash", "path", "schema", "store", "size"} and len(text) < 300
        except (ValueError, TypeError):
            pointer, small = None, False
        report.check(f"{mouse}, session {session}: the row is a small pointer", small, text[:300])
        if not small:
            continue
        report.say(f"    {text}")
        content = read_object(place, pointer)
        holds = content is not None and len(content) == pointer["size"] and name_of(content) == pointer["hash"]
        named = pointer["path"].endswith("/" + pointer["hash"])
        report.check(f"its {pointer['size']:,} bytes are in the store, named by their hash", holds and named)


def tell_whether_a_direct_insert_works(report, new):
    """DataJoint 2.3.5 has a fault on MariaDB; shown, not counted: it is not codec-proxy's."""
    outcome = new.run("insert", ["direct/1"])
    if outcome.returncode == 0:
        query(new.place, "database", f"DELETE FROM {SCHEMA}.recording WHERE mouse = 'direct'")
        report.say("Without the proxy it can insert, too.")
    else:
        report.say(
            "Without the proxy it cannot insert on MariaDB, a known fault of DataJoint 2.3.5. It says:",
            f"    {last_words(outcome)}",
        )


def look_through_the_proxy(report, place):
    """Step 4: the `mariadb` command line as a client of the proxy."""
    statement = f"SHOW FULL COLUMNS FROM {SCHEMA}.recording"
    table = client(place, "bytes", "--table", statement=statement)
    report.say(f"mariadb --port={place['bytes']['port']} --execute='{statement}'", *table.splitlines())
    columns = {row[0]: row for row in query(place, "bytes", statement)}
    column = columns.get("traces", ["", "nothing"])
    report.check("traces is a longblob", column[1] == "longblob", column[1])
    report.check("its comment is plain: raw traces", column[-1] == "raw traces", column[-1])


def read_and_write_as_json(report, place):
    """Step 5: a value as JSON, and the same JSON written into another row."""
    say = "SET @codec_view = 'json'; "
    mouse, session = FIRST[0].split("/")
    select = f"SELECT traces FROM {SCHEMA}.recording WHERE mouse = '{mouse}' AND session = {session}"
    [(short,)] = query(place, "bytes", f"{say}SET @codec_json_limit = 4; {select}")
    report.say(f"{say}SET @codec_json_limit = 4;", f"{select};", f"    {short}")
    [(text,)] = query(place, "bytes", say + select)
    value = json.loads(text)
    report.check(
        f"the whole value is JSON: {value.get('$array')}, shape {value.get('shape')}",
        value.get("$array", "").startswith(("float", "int", "uint")) and len(value["value"]) == value["shape"][0],
        text[:300],
    )
    columns = "(mouse, session, depth, traces)"
    query(place, "bytes", f"{say}INSERT INTO {SCHEMA}.recording {columns} VALUES ('copy', 1, 160, '{text}')")
    pointers = query(
        place,
        "database",
        f"SELECT DISTINCT JSON_VALUE(traces, '$.hash') FROM {SCHEMA}.recording"
        f" WHERE (mouse, session) IN (('{mouse}', {session}), ('copy', 1))",
    )
    report.check("written back as JSON, it is the same object in the store", len(pointers) == 1, str(pointers))


class Report:
    """What the user sees: words, and checks with their results."""

    def __init__(self):
        self.steps = 0
        self.checks = 0
        self.differing = 0

    def step(self, title):
        self.steps += 1
        print(f"\n{self.steps}. {title}", flush=True)

    def say(self, *lines):
        for line in lines:
            print(f"   {line}", flush=True)

    def check(self, what, holds, found=""):
        self.checks += 1
        self.differing += not holds
        print(f"   {'ok     ' if holds else 'DIFFERS'}  {what}", flush=True)
        if not holds and found:
            print(f"            found: {found}", flush=True)

    def run(self, program, action, recordings):
        """Runs a program and takes over the checks it reports."""
        outcome = program.run(action, recordings)
        checked = [line.split("\t", 1) for line in outcome.stdout.splitlines() if "\t" in line]
        for result, what in checked:
            self.check(what, result == "ok")
        if outcome.returncode != 0:
            self.check(f"{program.script} {action} runs to its end", False, last_words(outcome))
        elif not checked:
            self.check(f"{program.script} {action} checks something", False)

    def close(self):
        equal = self.checks - self.differing
        print(f"\n{equal} of {self.checks} checks are ok, {self.differing} differ.", flush=True)
        return 1 if self.differing or not self.checks else 0


class Program:
    """A DataJoint program with its own Python environment and working folder."""

    def __init__(self, place, folder, environment, script, door):
        self.place = place
        self.script = script
        self.python = TOOLS / environment / "bin/python"
        self.folder = folder / f"{environment}-{door}"
        self.folder.mkdir()
        # DataJoint 2 reads its stores from here; 0.14 does not look.
        (self.folder / "datajoint.json").write_text(json.dumps({"stores": place["stores"]}))
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": str(HERE),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONWARNINGS": "ignore",
            "DJ_HOST": f"{place[door]['host']}:{place[door]['port']}",
            "DJ_USER": place["user"],
            "DJ_PASS": place["password"],
            "DJ_LOG_LEVEL": "WARNING",
        }

    def run(self, action, recordings):
        try:
            return subprocess.run(
                [self.python, HERE / self.script, action, *recordings],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=120,
            )
        except subprocess.TimeoutExpired:
            raise CannotGoOn(f"{self.script} {action} has not ended after two minutes") from None


class Sandbox:
    """`codec-proxy sandbox`, from its start until nothing of it is left."""

    def __init__(self, proxy, folder):
        self.ready_file = folder / "place.json"
        self.log = open(folder / "sandbox.log", "w+")
        self.process = subprocess.Popen(
            [proxy, "sandbox", "--ready-file", self.ready_file],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,  # Ctrl-C ends the demonstration, and that ends the sandbox
        )

    def __enter__(self):
        try:
            self.place = self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_until_ready(self):
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            if self.ready_file.exists():
                return json.loads(self.ready_file.read_text())
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.log.seek(0)
        raise CannotGoOn(f"the sandbox did not start:\n{self.log.read()}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            # The sandbox's own guard cleans up after it even then.
            self.process.kill()
            self.process.wait()
        self.log.close()

    def check_nothing_left(self, report):
        report.step("Afterwards")
        report.check("the sandbox ended by itself", self.process.returncode == 0, f"code {self.process.returncode}")
        home = Path(self.place["stores"]["main"]["location"]).parent
        report.check("no file is left", not home.exists(), str(home))
        doors = [self.place[door] for door in ("database", "bytes", "stored")]
        report.check("no process is left", not any(answers(door) for door in doors))


def last_words(outcome):
    """What a Python program that failed says: the line below its traceback."""
    lines = outcome.stderr.strip().splitlines()
    return lines[-1] if lines else f"nothing, and ends with {outcome.returncode}"


def query(place, door, statement):
    """The rows of a statement, from the `mariadb` command line; values as text."""
    text = client(place, door, "--batch", "--raw", "--skip-column-names", statement=statement)
    # SHOW CREATE TABLE answers one row of many lines.
    if statement.startswith("SHOW CREATE"):
        return [tuple(text.rstrip("\n").split("\t", 1))]
    return [tuple(line.split("\t")) for line in text.splitlines()]


def client(place, door, *options, statement):
    """What the `mariadb` command line prints; the statement goes by its standard input, where it may be long."""
    address = place[door]
    command = ["mariadb", "--no-defaults", "--protocol=tcp", f"--host={address['host']}", f"--port={address['port']}"]
    command += [f"--user={place['user']}", f"--password={place['password']}", *options]
    outcome = subprocess.run(command, input=statement, capture_output=True, encoding="utf-8", errors="replace", timeout=60)
    if outcome.returncode != 0:
        raise CannotGoOn(f"{statement[:300]}\n{outcome.stderr.strip()[:300]}")
    return outcome.stdout


def read_object(place, pointer):
    """The object's bytes straight from the store, without DataJoint; None if there is none."""
    store = place["stores"][pointer["store"]]
    key = "/".join(part for part in (store["location"].rstrip("/"), pointer["path"]) if part)
    try:
        if store["protocol"] == "file":
            return Path(key).read_bytes()
        import s3fs  # only there where the store is on S3

        secure = "https" if store.get("secure", True) else "http"
        files = s3fs.S3FileSystem(
            key=store["access_key"],
            secret=store["secret_key"],
            client_kwargs={"endpoint_url": f"{secure}://{store['endpoint']}"},
        )
        return files.cat_file(f"{store['bucket']}/{key}")
    except FileNotFoundError:
        return None


def name_of(content):
    """An object's name: its MD5 in base32, in lower case and without padding."""
    digest = hashlib.md5(content).digest()
    return base64.b32encode(digest).decode().rstrip("=").lower()


def answers(address):
    try:
        socket.create_connection((address["host"], address["port"]), timeout=1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
