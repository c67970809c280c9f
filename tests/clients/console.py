"""The console of codec-proxy, read with PyMySQL as a program would."""

import os

import pymysql

at = dict(
    host="127.0.0.1",
    port=int(os.environ["CONSOLE_PORT"]),
    user=os.environ["CONSOLE_USER"],
    password=os.environ["CONSOLE_PASSWORD"],
)


def refused(code, act):
    try:
        act()
    except pymysql.MySQLError as error:
        assert error.args[0] == code, error
    else:
        raise AssertionError(f"no error {code}")


# What it does on its own: SET AUTOCOMMIT, SET NAMES, a database, a ping.
connection = pymysql.connect(**at, autocommit=True, charset="utf8mb4", database="codec_proxy")
connection.ping(reconnect=False)
cursor = connection.cursor(pymysql.cursors.DictCursor)
cursor.execute("SHOW CODECS")
codecs = {row["Name"]: row for row in cursor.fetchall()}
assert codecs["blob"]["Store"] == "<hash>" and codecs["hash"]["Inline"] == "requires @", codecs
cursor.execute("RESOLVE %s", ("<blob@main>",))
assert list(cursor.fetchall()) == [
    {
        "Type": "<blob@main>",
        "Chain": "<blob> → <hash> → json",
        "Stored as": "json",
        "Addressing": "hash",
        "Store": "main",
    },
]
cursor.execute("SHOW STATUS LIKE 'codecs'")
assert cursor.fetchone() == {"Variable_name": "codecs", "Value": "6"}
cursor.execute("SELECT CONNECTION_ID() AS id, DATABASE() AS db, NULL AS nothing")
row = cursor.fetchone()
assert isinstance(row["id"], int) and row["db"] == "codec_proxy" and row["nothing"] is None, row
cursor.execute("SELECT * FROM sessions")
assert not cursor.fetchall()
refused(1064, lambda: cursor.execute("SHOW CODEX"))
refused(1094, lambda: cursor.execute("KILL 4711"))
connection.commit()
connection.rollback()
connection.close()
refused(1045, lambda: pymysql.connect(**{**at, "password": "wrong"}))
