// MariaDB Connector/Node.js: `query` is text, `execute` is prepared, `batch` is bulk execution where the server has it.
"use strict";

const fs = require("fs");
const path = require("path");
const mariadb = require("mariadb");
const steps = require("./steps.js");

const { account, tls, compression, prepared } = steps.arguments;

(async () => {
  const connection = await mariadb.createConnection({
    ...account,
    compress: compression,
    ssl: tls ? { rejectUnauthorized: false } : false,
    allowPublicKeyRetrieval: true,
  });
  const outcome = (result) => ({
    rows: result,
    affected: result.affectedRows,
    id: result.insertId === undefined ? undefined : Number(result.insertId),
  });
  const driver = {
    run: async (statement, values) =>
      outcome(await (prepared ? connection.execute(statement, values) : connection.query(statement, values))),
    many: async (statement, rows) => {
      // `batch` prepares whatever it is told.
      if (!prepared) {
        let sum = 0;
        for (const row of rows) sum += (await driver.run(statement, row)).affected;
        return { affected: sum };
      }
      const { affected } = outcome(await connection.batch(statement, rows));
      return { affected };
    },
    begin: () => connection.beginTransaction(),
    commit: () => connection.commit(),
    rollback: () => connection.rollback(),
  };
  const folder = path.dirname(path.dirname(require.resolve("mariadb")));
  const file = [folder, path.dirname(folder)].map((at) => path.join(at, "package.json")).find(fs.existsSync);
  await steps.run(driver, JSON.parse(fs.readFileSync(file)).version);
  await connection.end();
})();
