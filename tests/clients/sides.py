"""What programs that see a table from every side share: the connections, and ways to fill and read it.

See `doors` for the environment.
"""

import sys

import datajoint as dj
import doors
import pymysql
from common import check

direct = doors.datajoint()
stored = doors.datajoint("STORED_PORT")
plain = doors.pymysql_at("DJ_PORT")
in_bytes = doors.pymysql_at("BYTES_PORT")
in_json = doors.pymysql_at("JSON_PORT")


def declare(table, definition):
    """A table of that name (of the class), declared through `stored` and seen directly."""
    schema = dj.Schema(doors.name, connection=stored)
    written = schema(type(table, (dj.Manual,), {"definition": definition}))
    read = getattr(dj.VirtualModule("direct", doors.name, connection=direct), table)
    return (read if doors.writes_directly else written), read


def column(connection, table, name):
    return dict(doors.rows(connection, f"SELECT number, {name} FROM {table} ORDER BY number"))


def insert(connection, table, name, values):
    """One statement for all of the values, by number."""
    places = ", ".join(["(%s, %s)"] * len(values))
    arguments = [argument for pair in values.items() for argument in pair]
    doors.rows(connection, f"INSERT INTO {table} (number, {name}) VALUES {places}", arguments)


def refused(connection, statement, arguments, text, code=None):
    try:
        doors.rows(connection, statement, arguments)
    except pymysql.Error as error:
        check(text in str(error.args[-1]) and code in (None, error.args[0]), f"{text!r} is not in {error}")
        return
    sys.exit(f"taken: {statement} {arguments!r}")
