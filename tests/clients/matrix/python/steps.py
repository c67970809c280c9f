"""The steps of ../README.md for drivers with the interface of PEP 249."""

import json
import os
import pathlib
import sys

INSERT = "INSERT INTO trace (note, data, raw) VALUES ({0}, {0}, {0})"
NAMES = [name for name in ("0", "1", "1M", "17M") if name not in os.environ.get("WITHOUT", "").split(",")]


class Arguments:
    def __init__(self):
        self.host, port, self.user, self.password, self.database, tls, compression, protocol, folder = sys.argv[1:]
        self.port = int(port)
        self.tls, self.compression, self.prepared = tls == "on", compression == "on", protocol == "prepared"
        self.folder = pathlib.Path(folder)

    def account(self, **names):
        """The keyword arguments that most drivers agree on; `names` renames some."""
        known = {key: getattr(self, key) for key in ("host", "port", "user", "password", "database")}
        return {names.get(key, key): value for key, value in known.items()}


class Driver:
    """What the steps need of a driver. A driver that is not like this overrides some of it."""

    mark = "%s"
    Error = Exception

    def __init__(self, connection, cursor):
        self.connection, self.cursor = connection, cursor

    def run(self, statement, values=()):
        """Rows, affected rows, last insert id."""
        cursor = self.cursor()
        try:
            cursor.execute(statement, values)
            rows = cursor.fetchall() if cursor.description else []
            return rows, cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()

    def many(self, statement, rows):
        cursor = self.cursor()
        try:
            cursor.executemany(statement, rows)
            return cursor.rowcount
        finally:
            cursor.close()

    def begin(self):
        self.connection.begin()

    def commit(self):
        self.connection.commit()

    def rollback(self):
        self.connection.rollback()

    def bytes(self, value):
        """A value as this driver wants bytes."""
        return value

    def error(self, error):
        code, message = error.args if len(error.args) == 2 else (None, str(error))
        return {"code": code, "message": message}


class Steps:
    def __init__(self, driver, folder):
        self.driver, self.folder = driver, folder
        self.insert = INSERT.format(driver.mark)

    def run(self, version):
        tell("driver", version=version)
        for name in NAMES:
            self.step(f"insert {name}", self.insert_one, name, *self.value(name))
        self.step("insert null", self.insert_one, "null", None, None)
        for name in [*NAMES, "null"]:
            self.step(f"select {name}", self.select, name)
        for name in ("many", "update", "rollback", "commit", "duplicate", "unknown", "warning", "delete"):
            self.step(name, getattr(self, name))

    def step(self, name, act, *arguments):
        try:
            outcome = act(*arguments)
        except self.driver.Error as error:
            outcome = {"error": self.driver.error(error)}
        tell(name, **outcome)

    def value(self, name):
        files = (self.folder / "in" / f"{name}.{column}" for column in ("data", "raw"))
        return [self.driver.bytes(file.read_bytes()) for file in files]

    def insert_one(self, *row):
        _, affected, number = self.driver.run(self.insert, row)
        return {"affected": affected, "id": number}

    def select(self, name):
        statement = f"SELECT data, raw FROM trace WHERE note = {self.driver.mark}"
        rows = self.driver.run(statement, (name,))[0]
        if len(rows) != 1:
            return {"rows": len(rows)}
        [row] = rows
        for column, value in zip(("data", "raw"), row):
            if value is not None:
                (self.folder / "out" / f"{name}.{column}").write_bytes(value)
        return {column: value if value is None else len(value) for column, value in zip(("data", "raw"), row)}

    def many(self):
        affected = self.driver.many(self.insert, [(f"many {n}", *self.value("1")) for n in (1, 2, 3)])
        return {} if affected is None else {"affected": affected}

    def update(self):
        mark = self.driver.mark
        statement = f"UPDATE trace SET data = {mark} WHERE id = {mark}"
        return {"affected": self.driver.run(statement, (self.value("1M")[0], 2))[1]}

    def rollback(self):
        self.driver.begin()
        try:
            self.driver.run(self.insert, ("gone", *self.value("1M")))
        finally:
            self.driver.rollback()
        return self.count("gone")

    def commit(self):
        self.driver.begin()
        self.driver.run(self.insert, ("kept", *self.value("1")))
        self.driver.commit()
        return self.count("kept")

    def count(self, note):
        statement = f"SELECT COUNT(*) FROM trace WHERE note = {self.driver.mark}"
        return {"rows": self.driver.run(statement, (note,))[0][0][0]}

    def duplicate(self):
        marks = ", ".join([self.driver.mark] * 4)
        statement = f"INSERT INTO trace (id, note, data, raw) VALUES ({marks})"
        self.driver.run(statement, (3, "again", *self.value("1M")))
        return {}

    def unknown(self):
        self.driver.run(f"SELECT nothing FROM trace WHERE note = {self.driver.mark}", ("1",))
        return {}

    def warning(self):
        statement = self.insert.replace("INSERT", "INSERT IGNORE")
        affected = self.driver.run(statement, ("x" * 30, *self.value("1")))[1]
        return {"affected": affected, "warnings": [list(row) for row in self.driver.run("SHOW WARNINGS")[0]]}

    def delete(self):
        return {"affected": self.driver.run(f"DELETE FROM trace WHERE note = {self.driver.mark}", ("0",))[1]}


def tell(step, **outcome):
    print(json.dumps({"step": step, **outcome}), flush=True)
