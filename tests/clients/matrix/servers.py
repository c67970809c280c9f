"""The databases of the matrix, a codec-proxy in front of each, and what is really stored behind it."""

import contextlib
import hashlib
import json
import os
import pathlib
import subprocess
import time

import pymysql

COLUMNS = {"data": "<blob@main>", "raw": "<hash@main>"}
TABLE = """CREATE TABLE trace (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, note VARCHAR(20) NOT NULL, data {} , raw {}
) CHARACTER SET utf8mb4"""
PATIENCE = 60  # seconds for a start


def start(proxy, only, folder, stack):
    """The servers that are there, each made ready."""
    if only in (None, "MariaDB"):
        yield sandbox(proxy, folder, stack)
    port = os.environ.get("CODEC_PROXY_TESTS_MYSQL_PORT")
    if port and only in (None, "MySQL"):
        yield mysql(proxy, int(port), folder, stack)


class Server:
    def __init__(self, port, user, password, proxy_port, stored_port, store):
        self.port, self.user, self.password = port, user, password
        self.proxy_port, self.stored_port, self.store = proxy_port, stored_port, pathlib.Path(store)
        [(version,)] = self.ask("SELECT VERSION()")
        self.name = "MariaDB" if "MariaDB" in version else "MySQL"
        self.version = version.partition("-")[0]

    def ask(self, *statements, database=None, port=None):
        """The rows of the last of the statements, all asked directly (or at another port)."""
        account = {"user": self.user, "password": self.password, "ssl_disabled": True, "autocommit": True}
        connection = pymysql.connect(host="127.0.0.1", port=port or self.port, database=database, **account)
        with contextlib.closing(connection), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall()

    def warm(self):
        """Has the server remember the password, where it asks for it over TLS only."""
        command = ["mariadb", "--no-defaults", "--protocol=tcp", "-h127.0.0.1", f"-P{self.port}", "-e", "DO 0"]
        if self.name == "MySQL":
            account = [f"-u{self.user}", f"-p{self.password}", "--ssl"]
            subprocess.run([*command, *account], check=True, capture_output=True)

    @contextlib.contextmanager
    def database(self, name, is_marked):
        """A database with the empty table; marked ones are made through the proxy, which so knows of them at once."""
        types = (f"JSON COMMENT ':{codec}:'" if is_marked else "LONGBLOB" for codec in COLUMNS.values())
        port = self.stored_port if is_marked else self.port
        self.ask(f"CREATE DATABASE {name}", f"USE {name}", TABLE.format(*types), port=port)
        try:
            yield name
        finally:
            self.ask(f"DROP DATABASE {name}")

    def stored_faults(self, database, values, left):
        """What is wrong in the rows, read directly; `left` has the names of the values by the row's note."""
        rows = {note: pointers for note, *pointers in self.ask("SELECT note, data, raw FROM trace", database=database)}
        if rows.keys() != left.keys():
            yield f"rows {sorted(rows)} in place of {sorted(left)}"
        for note in rows.keys() & left.keys():
            for column, name, pointer in zip(COLUMNS, left[note], rows[note]):
                expected = None if name is None else values[name, column]
                if fault := self.pointer_fault(pointer, expected):
                    yield f"{column} of the row {note!r}: {fault}"

    def pointer_fault(self, pointer, expected):
        if pointer is None or expected is None:
            return None if pointer == expected else f"{pointer!r:.100} where NULL decides"
        try:
            fields = json.loads(pointer)
            content = (self.store / fields["path"]).read_bytes()
        except (ValueError, KeyError, TypeError, OSError) as error:
            return f"{pointer!r:.200}: {error}"
        if hashlib.md5(content).digest() != hashlib.md5(expected).digest() or fields["size"] != len(expected):
            return f"an object of {fields.get('size')} bytes, another value"
        return None


def sandbox(proxy, folder, stack):
    """A private MariaDB."""
    ready = folder / "place.json"
    run([proxy, "sandbox", "--ready-file", ready], folder / "sandbox.log", stack)
    wait_until(ready.exists, folder / "sandbox.log")
    place = json.loads(ready.read_text())
    ports = (place[name]["port"] for name in ("bytes", "stored"))
    return Server(place["database"]["port"], place["user"], place["password"], *ports, place["stores"]["main"]["location"])


def mysql(proxy, port, folder, stack):
    """A proxy in front of the MySQL at `port`, with an account that goes at the end."""
    account = f"matrix_{os.getpid()}"
    root = ["mariadb", "--no-defaults", "--protocol=tcp", "-h127.0.0.1", f"-P{port}", "-uroot", "-e"]
    grant = f"CREATE USER {account}@'%' IDENTIFIED BY '{account}'; GRANT ALL ON *.* TO {account}@'%'"
    subprocess.run([*root, grant], check=True)
    stack.callback(subprocess.run, [*root, f"DROP USER {account}@'%'"], check=True)
    remember = ["mariadb", "--no-defaults", "--protocol=tcp", "-h127.0.0.1", f"-P{port}", f"-u{account}", f"-p{account}"]
    subprocess.run([*remember, "--ssl", "-e", "DO 0"], check=True)
    store = folder / "store"
    store.mkdir()
    config, log = folder / "codec-proxy.toml", folder / "codec-proxy.log"
    listen = "".join(f'[[listen]]\naddress = "127.0.0.1:0"\nview = "{view}"\n' for view in ("bytes", "stored"))
    config.write_text(
        f'[database]\naddress = "127.0.0.1:{port}"\nuser = "{account}"\npassword = "{account}"\n{listen}'
        f'[stores]\ndefault = "main"\n[stores.main]\nprotocol = "file"\nlocation = "{store}"\n'
    )
    run([proxy, "serve", "--config", config], log, stack)
    wait_until(lambda: len(listening(log)) == 2, log)
    ports = listening(log)
    return Server(port, account, account, ports["bytes"], ports["stored"], store)


def run(command, log, stack):
    with open(log, "wb") as stream:
        process = subprocess.Popen(list(map(str, command)), stdout=stream, stderr=stream, stdin=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.terminate)


def listening(log):
    """The ports by view that the proxy has logged."""
    ports = {}
    for line in log.read_text().splitlines():
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            fields = {**entry, **entry.get("fields", {})}
            if fields.get("message") == "listening":
                ports[fields["view"]] = int(fields["address"].rpartition(":")[2])
    return ports


def wait_until(ready, log):
    end = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > end:
            raise SystemExit(f"a part is not ready after {PATIENCE} s:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)
