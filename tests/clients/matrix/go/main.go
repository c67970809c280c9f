// The steps of ../README.md for go-sql-driver: the setting interpolateParams decides between text and prepared.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io/ioutil"
	"os"
	"strings"

	"github.com/go-sql-driver/mysql"
)

const insertStatement = "INSERT INTO trace (note, data, raw) VALUES (?, ?, ?)"

// The version of the driver's package, set by the linker.
var version string

var (
	names      = []string{"0", "1", "1M", "17M"}
	folder     string
	background = context.Background()
)

type outcome map[string]interface{}

// What a connection and a transaction have in common.
type executor interface {
	ExecContext(context.Context, string, ...interface{}) (sql.Result, error)
	QueryRowContext(context.Context, string, ...interface{}) *sql.Row
}

func main() {
	arguments := os.Args[1:]
	host, port, user, password, database := arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]
	folder = arguments[8]
	config := mysql.NewConfig()
	config.Net, config.Addr = "tcp", host+":"+port
	config.User, config.Passwd, config.DBName = user, password, database
	config.AllowNativePasswords = true
	config.MaxAllowedPacket = 0 // asks the server
	config.InterpolateParams = arguments[7] == "text"
	config.Collation = "utf8mb4_general_ci"
	if arguments[5] == "on" {
		config.TLSConfig = "skip-verify"
	}
	pool, err := sql.Open("mysql", config.FormatDSN())
	fatal(err)
	// One connection, or SHOW WARNINGS asks another one.
	connection, err := pool.Conn(background)
	fatal(err)
	defer connection.Close()

	tell("driver", outcome{"version": version})
	for _, name := range names {
		step("insert "+name, func() (outcome, error) { return insert(connection, name) })
	}
	step("insert null", func() (outcome, error) { return told(connection.ExecContext(background, insertStatement, "null", nil, nil)) })
	for _, name := range append(names, "null") {
		step("select "+name, func() (outcome, error) { return selectOne(connection, name) })
	}
	step("many", func() (outcome, error) { return many(connection, !config.InterpolateParams) })
	step("update", func() (outcome, error) {
		result, err := connection.ExecContext(background, "UPDATE trace SET data = ? WHERE id = ?", value("1M", "data"), 2)
		return affected(result, err)
	})
	step("rollback", func() (outcome, error) { return inTransaction(connection, "gone", "1M", (*sql.Tx).Rollback) })
	step("commit", func() (outcome, error) { return inTransaction(connection, "kept", "1", (*sql.Tx).Commit) })
	step("duplicate", func() (outcome, error) {
		statement := "INSERT INTO trace (id, note, data, raw) VALUES (?, ?, ?, ?)"
		_, err := connection.ExecContext(background, statement, 3, "again", value("1M", "data"), value("1M", "raw"))
		return outcome{}, err
	})
	step("unknown", func() (outcome, error) {
		var found string
		return outcome{}, connection.QueryRowContext(background, "SELECT nothing FROM trace WHERE note = ?", "1").Scan(&found)
	})
	step("warning", func() (outcome, error) { return warning(connection) })
	step("delete", func() (outcome, error) {
		return affected(connection.ExecContext(background, "DELETE FROM trace WHERE note = ?", "0"))
	})
}

func insert(connection executor, name string) (outcome, error) {
	return told(connection.ExecContext(background, insertStatement, name, value(name, "data"), value(name, "raw")))
}

func selectOne(connection *sql.Conn, name string) (outcome, error) {
	var data, raw []byte
	row := connection.QueryRowContext(background, "SELECT data, raw FROM trace WHERE note = ?", name)
	if err := row.Scan(&data, &raw); err != nil {
		return nil, err
	}
	found := outcome{}
	for column, bytes := range map[string][]byte{"data": data, "raw": raw} {
		found[column] = nil
		if bytes != nil {
			found[column] = len(bytes)
			fatal(ioutil.WriteFile(fmt.Sprintf("%s/out/%s.%s", folder, name, column), bytes, 0o644))
		}
	}
	return found, nil
}

func many(connection *sql.Conn, isPrepared bool) (outcome, error) {
	if !isPrepared {
		sum := 0
		for number := 1; number <= 3; number++ {
			note := fmt.Sprintf("many %d", number)
			result, err := connection.ExecContext(background, insertStatement, note, value("1", "data"), value("1", "raw"))
			if err != nil {
				return nil, err
			}
			rows, _ := result.RowsAffected()
			sum += int(rows)
		}
		return outcome{"affected": sum}, nil
	}
	statement, err := connection.PrepareContext(background, insertStatement)
	if err != nil {
		return nil, err
	}
	defer statement.Close()
	sum := int64(0)
	for number := 1; number <= 3; number++ {
		result, err := statement.Exec(fmt.Sprintf("many %d", number), value("1", "data"), value("1", "raw"))
		if err != nil {
			return nil, err
		}
		rows, _ := result.RowsAffected()
		sum += rows
	}
	return outcome{"affected": sum}, nil
}

func inTransaction(connection *sql.Conn, note, name string, end func(*sql.Tx) error) (outcome, error) {
	transaction, err := connection.BeginTx(background, nil)
	if err != nil {
		return nil, err
	}
	_, failed := transaction.ExecContext(background, insertStatement, note, value(name, "data"), value(name, "raw"))
	if err := end(transaction); err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, failed
	}
	var rows int
	err = connection.QueryRowContext(background, "SELECT COUNT(*) FROM trace WHERE note = ?", note).Scan(&rows)
	return outcome{"rows": rows}, err
}

func warning(connection *sql.Conn) (outcome, error) {
	statement := strings.Replace(insertStatement, "INSERT", "INSERT IGNORE", 1)
	result, err := connection.ExecContext(background, statement, strings.Repeat("x", 30), value("1", "data"), value("1", "raw"))
	if err != nil {
		return nil, err
	}
	found, _ := affected(result, nil)
	rows, err := connection.QueryContext(background, "SHOW WARNINGS")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	warnings := [][]interface{}{}
	for rows.Next() {
		var level, message string
		var code int
		fatal(rows.Scan(&level, &code, &message))
		warnings = append(warnings, []interface{}{level, code, message})
	}
	found["warnings"] = warnings
	return found, rows.Err()
}

func step(name string, act func() (outcome, error)) {
	found, err := act()
	if err != nil {
		fault := outcome{"message": err.Error()}
		if known, ok := err.(*mysql.MySQLError); ok {
			fault = outcome{"code": known.Number, "message": known.Message}
		}
		found = outcome{"error": fault}
	}
	tell(name, found)
}

func tell(step string, found outcome) {
	found["step"] = step
	line, err := json.Marshal(found)
	fatal(err)
	fmt.Println(string(line))
}

func told(result sql.Result, err error) (outcome, error) {
	found, err := affected(result, err)
	if err == nil {
		found["id"], err = result.LastInsertId()
	}
	return found, err
}

func affected(result sql.Result, err error) (outcome, error) {
	if err != nil {
		return nil, err
	}
	rows, err := result.RowsAffected()
	return outcome{"affected": rows}, err
}

func value(name, column string) []byte {
	bytes, err := ioutil.ReadFile(fmt.Sprintf("%s/in/%s.%s", folder, name, column))
	fatal(err)
	return bytes
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
