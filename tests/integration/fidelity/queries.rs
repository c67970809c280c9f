//! COM_QUERY: every kind of result, and several of them.

use crate::support::lab::Lab;
use crate::support::recorder::Recorder;

/// One statement each.
pub fn kinds_of_result(recorder: &mut Recorder, lab: &Lab) {
    recorder.quiet("DROP TABLE IF EXISTS kinds, narrow, child");
    recorder.quiet(KINDS);
    recorder.quiet("SET sql_mode = 'STRICT_TRANS_TABLES'");
    let schema = &lab.database;
    for sql in [
        "SELECT 1",
        "SELECT NULL, '', 0, 'é', X'00FF'",
        "SELECT 1 FROM DUAL WHERE 1 = 0",
        INSERT_KINDS,
        "INSERT INTO kinds (tiny) VALUES (1), (2)",
        "SELECT * FROM kinds",
        "SELECT k.id AS renamed, txt, COUNT(*) OVER () FROM kinds k ORDER BY 1",
        "INSERT INTO kinds (tiny) VALUES (99999)",
        "SET sql_mode = ''",
        "INSERT INTO kinds (tiny) VALUES (99999)",
        "SHOW WARNINGS",
        "SELECT @@warning_count, LAST_INSERT_ID(), ROW_COUNT(), FOUND_ROWS()",
        "UPDATE kinds SET big = 1",
        "UPDATE kinds SET big = 1",
        "DELETE FROM kinds WHERE id = 1",
        "REPLACE INTO kinds (id, tiny) VALUES (2, 5)",
        "INSERT IGNORE INTO kinds (id) VALUES (2)",
        "INSERT INTO kinds (id) VALUES (2)",
        "INSERT INTO kinds (tiny) VALUES (7) RETURNING id, tiny",
        "SELECT nothing FROM nowhere",
        "SELEC 1",
        "",
        "/* nothing */",
        "SELECT 1 /*! , 2 */",
        "SHOW TABLES",
        "SHOW CREATE TABLE kinds",
        "SHOW FULL COLUMNS FROM kinds",
        "DESCRIBE kinds",
        "EXPLAIN SELECT * FROM kinds WHERE id = 2",
        "EXPLAIN FORMAT=JSON SELECT 1",
        "SHOW DATABASES LIKE 'no such%'",
        "CHECK TABLE kinds",
        "CHECKSUM TABLE kinds",
        "ANALYZE TABLE kinds",
        "DO 1",
        "SET @v = 1, @w = 'two'",
        "SELECT @v, @w",
        "SET autocommit = 0",
        "SELECT @@autocommit",
        "INSERT INTO kinds (tiny) VALUES (3)",
        "ROLLBACK",
        "SET autocommit = 1",
        "BEGIN",
        "SELECT COUNT(*) FROM kinds",
        "SAVEPOINT here",
        "ROLLBACK TO SAVEPOINT here",
        "COMMIT",
        "START TRANSACTION READ ONLY",
        "COMMIT",
        "SET NAMES latin1",
        "SELECT 'x', @@character_set_client",
        "SET NAMES utf8mb4",
        "SELECT data_type, c.* FROM information_schema.columns c WHERE table_schema = DATABASE() ORDER BY 1, 2, 3",
        "USE information_schema",
        "SELECT DATABASE()",
        "SELECT SCHEMA_NAME FROM SCHEMATA WHERE SCHEMA_NAME = 'mysql'",
        "USE no_such_database",
    ] {
        recorder.query(sql);
    }
    recorder.query(format!("USE `{schema}`"));
    for sql in [
        "CREATE TABLE narrow (n INT PRIMARY KEY) AS SELECT seq AS n FROM seq_1_to_5000",
        "SELECT n, n * 2 FROM narrow",
        "SELECT REPEAT('x', 250), REPEAT('x', 251), REPEAT('y', 65535), REPEAT('y', 65536)",
        "SELECT REPEAT('z', 1000000), n FROM narrow LIMIT 20",
        // An error after rows have been sent.
        "SELECT n, REPEAT('x', 100), IF(n < 4000, n, (SELECT 1 UNION SELECT 2)) FROM narrow",
        "SELECT 'after the error'",
        "HANDLER narrow OPEN",
        "HANDLER narrow READ FIRST LIMIT 3",
        "HANDLER narrow CLOSE",
        "ALTER TABLE narrow ADD COLUMN more INT",
        "TRUNCATE TABLE narrow",
        "CREATE TEMPORARY TABLE temporary_one (id INT)",
        "DROP TEMPORARY TABLE temporary_one",
        "DROP TABLE IF EXISTS never_was",
        "DROP TABLE never_was",
        "SELECT SLEEP(0)",
        "KILL QUERY 0",
        "GET DIAGNOSTICS @n = NUMBER",
        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a text of the user', MYSQL_ERRNO = 40001",
        "SELECT 1 INTO @into",
        "BEGIN NOT ATOMIC SELECT 'compound'; END",
    ] {
        recorder.query(sql);
    }
    recorder.query(b"SELECT '\xff\xfe\x00raw \x80 bytes'".as_slice());
    recorder.query(b"INSERT INTO kinds (bin) VALUES (_binary'\x00\xff\\0\\'')".as_slice());
    recorder.query("SELECT bin FROM kinds");
}

/// Several results to one command.
pub fn several_statements(recorder: &mut Recorder, _: &Lab) {
    for sql in [
        "DROP TABLE IF EXISTS multi",
        "DROP PROCEDURE IF EXISTS two_results",
        "DROP PROCEDURE IF EXISTS breaks",
        "CREATE TABLE multi (id INT PRIMARY KEY)",
        "CREATE PROCEDURE two_results(IN a INT, OUT b INT) \
         BEGIN SELECT a; SET b = a + 1; SELECT a, b; END",
        "CREATE PROCEDURE breaks() BEGIN SELECT 1; SELECT * FROM missing; END",
    ] {
        recorder.quiet(sql);
    }
    for sql in [
        "SELECT 1; SELECT 2, 3; SELECT 'three'",
        "INSERT INTO multi VALUES (1); INSERT INTO multi VALUES (2), (3); SELECT * FROM multi",
        "SELECT 1; SELECT broken; SELECT 3",
        "INSERT INTO multi VALUES (9); INSERT INTO multi VALUES (1); INSERT INTO multi VALUES (10)",
        "SELECT * FROM multi",
        "SELECT ';', 1; # a comment; SELECT 2\nSELECT \"x;y\"",
        "SELECT 1;",
        ";",
        "SELECT 1;;SELECT 2",
        "CALL two_results(5, @b)",
        "SELECT @b",
        "CALL breaks()",
        "CALL never_was()",
        "CALL two_results(6, @b); SELECT @b; DO 1",
        "SET @s = 'SELECT 7 AS seven'; PREPARE p FROM @s; EXECUTE p; DEALLOCATE PREPARE p",
        "EXECUTE IMMEDIATE 'SELECT ? + 1' USING 3",
    ] {
        recorder.query(sql);
    }
}

const KINDS: &str = "CREATE TABLE kinds (
    id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
    tiny TINYINT, big BIGINT UNSIGNED ZEROFILL, price DECIMAL(12,3), f FLOAT, d DOUBLE(10,2),
    flag BIT(5), y YEAR, day DATE, clock TIME(3), at DATETIME(6), stamp TIMESTAMP NULL,
    c CHAR(5), txt VARCHAR(50) CHARACTER SET latin1, long_text LONGTEXT, bin VARBINARY(20),
    raw LONGBLOB, choice ENUM('a','b'), some SET('x','y','z'), doc JSON, u UUID, ip INET6,
    place POINT)";

const INSERT_KINDS: &str = "INSERT INTO kinds VALUES (NULL, -5, 77, 12.5, 0.25, 3.14159, b'101',
    2024, '2024-02-29', '-12:34:56.789', '2024-02-29 01:02:03.000004', '2024-02-29 01:02:03',
    'abc', 'é', 'long', X'00FF', X'0001FE', 'b', 'x,z', '{\"a\": [1, null]}',
    '123e4567-e89b-12d3-a456-426655440000', '::1', POINT(1, 2))";
