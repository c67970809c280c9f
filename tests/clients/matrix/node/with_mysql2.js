// mysql2: `query` is text, `execute` is prepared. It has no means for many rows but a statement with all of them.
"use strict";

const mysql = require("mysql2/promise");
const steps = require("./steps.js");

const { account, tls, compression, prepared } = steps.arguments;

(async () => {
  const connection = await mysql.createConnection({
    ...account,
    compress: compression,
    ssl: tls ? { rejectUnauthorized: false } : undefined,
  });
  const driver = {
    run: async (statement, values) => {
      const [result] = await (prepared ? connection.execute(statement, values) : connection.query(statement, values));
      return { rows: result, affected: result.affectedRows, id: result.insertId };
    },
    many: async (statement, rows) => {
      const marks = rows.map(() => "(?, ?, ?)").join(", ");
      const { affected } = await driver.run(statement.replace("(?, ?, ?)", marks), rows.flat());
      return { affected };
    },
    begin: () => connection.beginTransaction(),
    commit: () => connection.commit(),
    rollback: () => connection.rollback(),
  };
  await steps.run(driver, require("mysql2/package.json").version);
  await connection.end();
})();
