"""mysqlclient, on Debian's client library: text only."""

import MySQLdb
import steps

arguments = steps.Arguments()
connection = MySQLdb.connect(
    **arguments.account(),
    charset="utf8mb4",
    autocommit=True,
    # It compresses when the argument is there at all.
    **({"compress": True} if arguments.compression else {}),
    **({"ssl": {"cipher": "DEFAULT"}} if arguments.tls else {}),
)
driver = steps.Driver(connection, connection.cursor)
driver.Error = MySQLdb.Error
steps.Steps(driver, arguments.folder).run(".".join(map(str, MySQLdb.version_info[:3])))
