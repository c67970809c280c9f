"""MariaDB Connector/Python, on Debian's client library."""

import mariadb
import steps

arguments = steps.Arguments()
connection = mariadb.connect(
    **arguments.account(),
    autocommit=True,
    compress=arguments.compression,
    ssl=arguments.tls,
    ssl_verify_cert=False,
)


class Driver(steps.Driver):
    mark = "?"
    Error = mariadb.Error

    def error(self, error):
        return {"code": error.errno, "sqlstate": error.sqlstate, "message": error.errmsg}


driver = Driver(connection, lambda: connection.cursor(binary=arguments.prepared))
steps.Steps(driver, arguments.folder).run(mariadb.__version__)
