"""Every way to the data that a test of both sides needs: DataJoint 2.3.5 directly and through the
`stored` listener, PyMySQL through the `bytes` and the `json` listener.

DJ_HOST, DJ_PORT (the database itself), DJ_USER, DJ_PASS and DJ_STORES are read by DataJoint;
STORED_PORT, BYTES_PORT, JSON_PORT and SCHEMA are ours, and so is
WRITES_DIRECTLY=1, where the database is a MySQL.
"""

import logging
import os
import warnings

import datajoint as dj
import pymysql

# "MariaDB is not supported" is known, and so is the fall back to a connection without TLS.
warnings.simplefilter("ignore")
logging.getLogger("datajoint").setLevel(logging.ERROR)
dj.config["safemode"] = False
name = os.environ["SCHEMA"]
# On MariaDB, DataJoint cannot insert a pointer without the proxy.
writes_directly = os.environ.get("WRITES_DIRECTLY") == "1"


def datajoint(port=None):
    """A DataJoint connection: to the database itself, or to the port that the variable names."""
    return dj.Connection(
        os.environ["DJ_HOST"],
        os.environ["DJ_USER"],
        os.environ["DJ_PASS"],
        int(os.environ[port or "DJ_PORT"]),
        use_tls=False,
    )


def pymysql_at(port, setting=None):
    """A PyMySQL connection to the port that the variable names."""
    return pymysql.connect(
        host=os.environ["DJ_HOST"],
        port=int(os.environ[port]),
        user=os.environ["DJ_USER"],
        password=os.environ["DJ_PASS"],
        database=name,
        charset="utf8mb4",
        autocommit=True,
        ssl_disabled=True,
        init_command=setting,
    )


def rows(connection, statement, arguments=()):
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        return cursor.fetchall()


def row(connection, statement, arguments=()):
    (found,) = rows(connection, statement, arguments)
    return found


def value(connection, statement, arguments=()):
    (found,) = row(connection, statement, arguments)
    return found
