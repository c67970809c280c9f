// The steps of ../README.md. A driver gives `run(statement, values)`, which resolves to {rows, affected, id},
// and optionally `many(statement, rows)`; transactions are statements of their own.
"use strict";

const fs = require("fs");
const path = require("path");

const [host, port, user, password, database, tls, compression, protocol, folder] = process.argv.slice(2);
exports.arguments = {
  account: { host, port: Number(port), user, password, database },
  tls: tls === "on",
  compression: compression === "on",
  prepared: protocol === "prepared",
};

const INSERT = "INSERT INTO trace (note, data, raw) VALUES (?, ?, ?)";
const WITHOUT = (process.env.WITHOUT || "").split(",");
const NAMES = ["0", "1", "1M", "17M"].filter((name) => !WITHOUT.includes(name));
const COLUMNS = ["data", "raw"];

const tell = (step, outcome) => console.log(JSON.stringify({ step, ...outcome }));
const value = (name) => COLUMNS.map((column) => fs.readFileSync(path.join(folder, "in", `${name}.${column}`)));

exports.run = async (driver, version) => {
  const step = async (name, act) => {
    try {
      tell(name, await act());
    } catch (error) {
      tell(name, { error: { code: error.errno, sqlstate: error.sqlState, message: error.sqlMessage || error.message } });
    }
  };
  const insert = async (row) => {
    const { affected, id } = await driver.run(INSERT, row);
    return { affected, id };
  };
  const count = async (note) => {
    const { rows } = await driver.run("SELECT COUNT(*) AS n FROM trace WHERE note = ?", [note]);
    return { rows: Number(rows[0].n) };
  };

  tell("driver", { version });
  for (const name of NAMES) await step(`insert ${name}`, () => insert([name, ...value(name)]));
  await step("insert null", () => insert(["null", null, null]));
  for (const name of [...NAMES, "null"]) {
    await step(`select ${name}`, async () => {
      const { rows } = await driver.run("SELECT data, raw FROM trace WHERE note = ?", [name]);
      const told = {};
      for (const column of COLUMNS) {
        const found = rows[0][column];
        if (found !== null) fs.writeFileSync(path.join(folder, "out", `${name}.${column}`), found);
        told[column] = found === null ? null : found.length;
      }
      return told;
    });
  }
  await step("many", () => driver.many(INSERT, [1, 2, 3].map((n) => [`many ${n}`, ...value("1")])));
  await step("update", async () => {
    const { affected } = await driver.run("UPDATE trace SET data = ? WHERE id = ?", [value("1M")[0], 2]);
    return { affected };
  });
  await step("rollback", async () => {
    await driver.begin();
    try {
      await insert(["gone", ...value("1M")]);
    } finally {
      await driver.rollback();
    }
    return count("gone");
  });
  await step("commit", async () => {
    await driver.begin();
    await insert(["kept", ...value("1")]);
    await driver.commit();
    return count("kept");
  });
  await step("duplicate", () =>
    driver.run("INSERT INTO trace (id, note, data, raw) VALUES (?, ?, ?, ?)", [3, "again", ...value("1M")]),
  );
  await step("unknown", () => driver.run("SELECT nothing FROM trace WHERE note = ?", ["1"]));
  await step("warning", async () => {
    const { affected } = await driver.run(INSERT.replace("INSERT", "INSERT IGNORE"), ["x".repeat(30), ...value("1")]);
    const { rows } = await driver.run("SHOW WARNINGS", []);
    return { affected, warnings: rows.map((row) => [row.Level, Number(row.Code), row.Message]) };
  });
  await step("delete", async () => {
    const { affected } = await driver.run("DELETE FROM trace WHERE note = ?", ["0"]);
    return { affected };
  });
};
