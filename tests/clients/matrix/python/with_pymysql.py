"""PyMySQL: text only."""

import importlib.metadata
import ssl

import pymysql
import steps

arguments = steps.Arguments()
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
connection = pymysql.connect(
    **arguments.account(),
    charset="utf8mb4",
    autocommit=True,
    ssl=context if arguments.tls else None,
    ssl_disabled=not arguments.tls,
)
driver = steps.Driver(connection, connection.cursor)
driver.Error = pymysql.Error
steps.Steps(driver, arguments.folder).run(importlib.metadata.version("PyMySQL"))
