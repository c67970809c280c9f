"""aiomysql and asyncmy, which are alike: text only. The environment's DRIVER says which."""

import asyncio
import importlib.metadata
import os
import ssl

import steps

arguments = steps.Arguments()
module = importlib.import_module(os.environ["DRIVER"])
errors = importlib.import_module(f"{os.environ['DRIVER']}.errors") if os.environ["DRIVER"] == "asyncmy" else module
loop = asyncio.new_event_loop()
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
wait = loop.run_until_complete


class Driver(steps.Driver):
    Error = errors.MySQLError

    def run(self, statement, values=()):
        return wait(self._run(statement, values))

    async def _run(self, statement, values):
        async with self.connection.cursor() as cursor:
            # aiomysql puts no values into a statement that has none.
            await cursor.execute(statement, tuple(values) or None)
            rows = await cursor.fetchall() if cursor.description else []
            return rows, cursor.rowcount, cursor.lastrowid

    def many(self, statement, rows):
        return wait(self._many(statement, rows))

    async def _many(self, statement, rows):
        async with self.connection.cursor() as cursor:
            await cursor.executemany(statement, rows)
            return cursor.rowcount

    def begin(self):
        wait(self.connection.begin())

    def commit(self):
        wait(self.connection.commit())

    def rollback(self):
        wait(self.connection.rollback())


async def connect():
    account = arguments.account(database="db")
    return await module.connect(**account, charset="utf8mb4", autocommit=True, ssl=context if arguments.tls else None)


connection = wait(connect())
steps.Steps(Driver(connection, None), arguments.folder).run(importlib.metadata.version(os.environ["DRIVER"]))
connection.close()
loop.run_until_complete(asyncio.sleep(0))
loop.close()
