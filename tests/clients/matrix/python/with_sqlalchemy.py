"""SQLAlchemy's core, over PyMySQL."""

import ssl

import sqlalchemy
import steps

arguments = steps.Arguments()
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
engine = sqlalchemy.create_engine(
    sqlalchemy.URL.create("mysql+pymysql", **arguments.account(user="username"), query={"charset": "utf8mb4"}),
    connect_args={"ssl": context} if arguments.tls else {"ssl_disabled": True},
)


class Driver(steps.Driver):
    Error = sqlalchemy.exc.DBAPIError

    def __init__(self):
        self.connection = self.outside = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self.transaction = None

    def run(self, statement, values=()):
        result = self.connection.exec_driver_sql(statement, tuple(values))
        if result.returns_rows:
            return [tuple(row) for row in result], result.rowcount, None
        return [], result.rowcount, result.lastrowid

    def many(self, statement, rows):
        return self.connection.exec_driver_sql(statement, rows).rowcount

    def begin(self):
        self.connection = engine.connect()
        self.transaction = self.connection.begin()

    def commit(self):
        self._end(self.transaction.commit)

    def rollback(self):
        self._end(self.transaction.rollback)

    def _end(self, end):
        end()
        self.connection.close()
        self.connection = self.outside

    def error(self, error):
        return super().error(error.orig)


steps.Steps(Driver(), arguments.folder).run(sqlalchemy.__version__)
