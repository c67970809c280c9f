"""MySQL Connector/Python. The environment's PURE=1 chooses the implementation in Python, without it the one in C."""

import os

import mysql.connector
import steps

arguments = steps.Arguments()
connection = mysql.connector.connect(
    **arguments.account(),
    charset="utf8mb4",
    collation="utf8mb4_general_ci",
    autocommit=True,
    use_pure=os.environ.get("PURE") == "1",
    compress=arguments.compression,
    ssl_disabled=not arguments.tls,
)


class Driver(steps.Driver):
    Error = mysql.connector.Error

    def begin(self):
        self.connection.start_transaction()

    def error(self, error):
        return {"code": error.errno, "sqlstate": error.sqlstate, "message": error.msg}


driver = Driver(connection, lambda: connection.cursor(prepared=arguments.prepared))
steps.Steps(driver, arguments.folder).run(mysql.connector.__version__)
