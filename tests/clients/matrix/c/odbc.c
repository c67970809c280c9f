/* The steps of ../README.md for ODBC with MariaDB's driver. It prepares whatever has parameters, so in the text
 * protocol values are written as hexadecimal literals. Prepared values of more than a MiB are given in pieces. */
#include <sql.h>
#include <sqlext.h>

#include "steps.h"

#define PIECE (1L << 20)
#define COMPRESSED "2048" /* of the connection's OPTION */

static SQLHDBC connection;
static int is_prepared;

/* A parameter: text, or bytes that may be NULL. */
struct parameter {
    int is_text;
    struct bytes value;
};

struct outcome {
    int failed;
    struct error error;
    long affected;
    int rows, columns;
    struct bytes cells[8][3];
};

static int is_ok(SQLRETURN code)
{
    return code == SQL_SUCCESS || code == SQL_SUCCESS_WITH_INFO || code == SQL_NO_DATA;
}

static int has_row(SQLHSTMT statement)
{
    SQLRETURN code = SQLFetch(statement);
    return code == SQL_SUCCESS || code == SQL_SUCCESS_WITH_INFO;
}

/* Takes the first diagnostic; in front of the server's words are names of drivers in brackets. */
static void diagnose(struct outcome *out, SQLSMALLINT kind, SQLHANDLE handle)
{
    SQLCHAR sqlstate[6] = "", message[1024] = "";
    SQLINTEGER code = 0;
    SQLGetDiagRec(kind, handle, 1, sqlstate, &code, message, sizeof message, NULL);
    const char *words = strrchr((char *)message, ']');
    out->failed = 1;
    out->error.code = code;
    snprintf(out->error.sqlstate, sizeof out->error.sqlstate, "%s", sqlstate);
    snprintf(out->error.message, sizeof out->error.message, "%s", words ? words + 1 : (char *)message);
}

static struct parameter text_of(const char *text)
{
    struct parameter out = {1, {(char *)text, strlen(text)}};
    return out;
}

static struct parameter bytes_of(const char *name, const char *column)
{
    struct parameter out = {0, value(name, column)};
    return out;
}

/* The statement with each `?` replaced by a literal. */
static struct bytes in_text(const char *statement, const struct parameter *values)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned long size = strlen(statement) + 1;
    int at = 0;
    for (const char *c = statement; *c; c++)
        if (*c == '?')
            size += 2 * values[at++].value.length + 8;
    struct bytes out = {malloc(size), 0};
    if (!out.at)
        die("malloc");
    at = 0;
    for (const char *c = statement; *c; c++) {
        if (*c != '?') {
            out.at[out.length++] = *c;
            continue;
        }
        const struct parameter *given = &values[at++];
        if (!given->value.at) {
            out.length += sprintf(out.at + out.length, "NULL");
        } else if (given->is_text) {
            out.length += sprintf(out.at + out.length, "'%s'", given->value.at);
        } else {
            out.length += sprintf(out.at + out.length, "X'");
            for (unsigned long byte = 0; byte < given->value.length; byte++) {
                out.at[out.length++] = digits[(unsigned char)given->value.at[byte] >> 4];
                out.at[out.length++] = digits[(unsigned char)given->value.at[byte] & 15];
            }
            out.at[out.length++] = '\'';
        }
    }
    out.at[out.length] = 0;
    return out;
}

static SQLRETURN bind(SQLHSTMT statement, const struct parameter *values, SQLLEN *lengths, int count)
{
    for (int at = 0; at < count; at++) {
        const struct bytes *value = &values[at].value;
        int is_long = value->length > (unsigned long)PIECE;
        lengths[at] = !value->at ? SQL_NULL_DATA : is_long ? SQL_LEN_DATA_AT_EXEC((SQLLEN)value->length) : (SQLLEN)value->length;
        SQLRETURN code = SQLBindParameter(
            statement, at + 1, SQL_PARAM_INPUT, values[at].is_text ? SQL_C_CHAR : SQL_C_BINARY,
            values[at].is_text ? SQL_VARCHAR : SQL_LONGVARBINARY, value->length ? value->length : 1, 0,
            is_long ? (SQLPOINTER)value : (SQLPOINTER)value->at, value->length, &lengths[at]);
        if (!is_ok(code))
            return code;
    }
    return SQL_SUCCESS;
}

static SQLRETURN execute(SQLHSTMT statement)
{
    SQLRETURN code = SQLExecute(statement);
    SQLPOINTER wanted;
    /* The driver asks for the long values one after the other. */
    while (code == SQL_NEED_DATA && (code = SQLParamData(statement, &wanted)) == SQL_NEED_DATA) {
        const struct bytes *value = wanted;
        for (unsigned long from = 0; from < value->length; from += PIECE) {
            unsigned long rest = value->length - from;
            SQLRETURN put = SQLPutData(statement, value->at + from, rest < (unsigned long)PIECE ? (SQLLEN)rest : PIECE);
            if (!is_ok(put))
                return put;
        }
    }
    return code;
}

static int fetch(SQLHSTMT statement, struct outcome *out)
{
    for (; has_row(statement); out->rows++) {
        for (int column = 0; column < out->columns; column++) {
            struct bytes *cell = &out->cells[out->rows][column];
            char none[1];
            SQLLEN length = 0;
            if (!is_ok(SQLGetData(statement, column + 1, SQL_C_BINARY, none, 0, &length)))
                return 1;
            if (length == SQL_NULL_DATA)
                continue;
            cell->at = malloc(length + 1);
            cell->length = length;
            if (!cell->at)
                die("malloc");
            if (length && !is_ok(SQLGetData(statement, column + 1, SQL_C_BINARY, cell->at, length, &length)))
                return 1;
            cell->at[cell->length] = 0;
        }
    }
    return 0;
}

static struct outcome finish(SQLHSTMT statement, SQLRETURN code)
{
    struct outcome out = {0};
    SQLLEN affected = 0;
    SQLSMALLINT columns = 0;
    if (!is_ok(code)) {
        diagnose(&out, SQL_HANDLE_STMT, statement);
        return out;
    }
    SQLNumResultCols(statement, &columns);
    SQLRowCount(statement, &affected);
    out.columns = columns;
    out.affected = affected;
    if (columns && fetch(statement, &out))
        diagnose(&out, SQL_HANDLE_STMT, statement);
    return out;
}

static int count_of(const char *statement)
{
    int count = 0;
    for (; *statement; statement++)
        count += *statement == '?';
    return count;
}

static struct outcome run(const char *text, const struct parameter *values)
{
    SQLHSTMT statement;
    SQLAllocHandle(SQL_HANDLE_STMT, connection, &statement);
    SQLLEN lengths[4];
    SQLRETURN code;
    if (is_prepared && count_of(text)) {
        code = SQLPrepare(statement, (SQLCHAR *)text, SQL_NTS);
        if (is_ok(code))
            code = bind(statement, values, lengths, count_of(text));
        if (is_ok(code))
            code = execute(statement);
    } else {
        struct bytes sent = in_text(text, values);
        code = SQLExecDirect(statement, (SQLCHAR *)sent.at, sent.length);
        free(sent.at);
    }
    struct outcome out = finish(statement, code);
    SQLFreeHandle(SQL_HANDLE_STMT, statement);
    return out;
}

static struct outcome insert(const char *statement, const char *note, const char *name)
{
    struct parameter row[] = {text_of(note), bytes_of(name, "data"), bytes_of(name, "raw")};
    struct outcome out = run(statement, row);
    free(row[1].value.at);
    free(row[2].value.at);
    return out;
}

static void tell_inserted(const char *name)
{
    char step[32];
    snprintf(step, sizeof step, "insert %s", name);
    struct outcome out = insert(INSERT, name, name);
    struct outcome id = run("SELECT CAST(LAST_INSERT_ID() AS CHAR)", NULL);
    if (out.failed)
        tell_error(step, &out.error);
    else
        tell(step, "affected", out.affected, "id", atol(id.cells[0][0].at), NULL);
}

static void select_one(const char *name)
{
    char step[32];
    snprintf(step, sizeof step, "select %s", name);
    struct parameter key[] = {text_of(name)};
    struct outcome out = run("SELECT data, raw FROM trace WHERE note = ?", key);
    if (out.failed) {
        tell_error(step, &out.error);
        return;
    }
    begin(step);
    for (int column = 0; column < 2; column++) {
        struct bytes found = out.cells[0][column];
        if (found.at) {
            keep(name, COLUMNS[column], found);
            printf(", \"%s\": %lu", COLUMNS[column], found.length);
        } else {
            printf(", \"%s\": null", COLUMNS[column]);
        }
        free(found.at);
    }
    end();
}

static void many(void)
{
    long affected = 0;
    for (int number = 1; number <= 3; number++) {
        char note[16];
        snprintf(note, sizeof note, "many %d", number);
        struct outcome out = insert(INSERT, note, "1");
        if (out.failed) {
            tell_error("many", &out.error);
            return;
        }
        affected += out.affected;
    }
    tell("many", "affected", affected, NULL);
}

static void autocommit(SQLULEN on)
{
    SQLSetConnectAttr(connection, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)on, SQL_IS_UINTEGER);
}

static void in_transaction(const char *step, const char *note, const char *name, SQLSMALLINT how)
{
    autocommit(SQL_AUTOCOMMIT_OFF);
    struct outcome out = insert(INSERT, note, name);
    SQLEndTran(SQL_HANDLE_DBC, connection, how);
    autocommit(SQL_AUTOCOMMIT_ON);
    if (!out.failed) {
        struct parameter key[] = {text_of(note)};
        out = run("SELECT CAST(COUNT(*) AS CHAR) FROM trace WHERE note = ?", key);
    }
    if (out.failed)
        tell_error(step, &out.error);
    else
        tell(step, "rows", atol(out.cells[0][0].at), NULL);
}

static void warning(void)
{
    struct outcome out = insert("INSERT IGNORE INTO trace (note, data, raw) VALUES (?, ?, ?)",
                                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "1");
    if (out.failed) {
        tell_error("warning", &out.error);
        return;
    }
    SQLHSTMT statement;
    SQLAllocHandle(SQL_HANDLE_STMT, connection, &statement);
    SQLExecDirect(statement, (SQLCHAR *)"SHOW WARNINGS", SQL_NTS);
    begin("warning");
    printf(", \"affected\": %ld, \"warnings\": [", out.affected);
    char level[64], message[512];
    long code;
    for (int row = 0; has_row(statement); row++) {
        SQLGetData(statement, 1, SQL_C_CHAR, level, sizeof level, NULL);
        SQLGetData(statement, 2, SQL_C_SLONG, &code, sizeof code, NULL);
        SQLGetData(statement, 3, SQL_C_CHAR, message, sizeof message, NULL);
        printf(row ? ", [" : "[");
        quoted(level);
        printf(", %d, ", (int)code);
        quoted(message);
        putchar(']');
    }
    putchar(']');
    end();
    SQLFreeHandle(SQL_HANDLE_STMT, statement);
}

static void tell_affected(const char *step, struct outcome out)
{
    if (out.failed)
        tell_error(step, &out.error);
    else
        tell(step, "affected", out.affected, NULL);
}

int main(int count, char **arguments)
{
    if (count != 10)
        return 2;
    folder = arguments[9];
    is_prepared = !strcmp(arguments[8], "prepared");
    SQLHENV environment;
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment);
    SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    SQLAllocHandle(SQL_HANDLE_DBC, environment, &connection);
    char settings[512];
    snprintf(settings, sizeof settings, "DRIVER={MariaDB Unicode};SERVER=%s;PORT=%s;UID=%s;PWD=%s;DATABASE=%s;CHARSET=utf8mb4;SSLVERIFY=0;FORCETLS=%d;OPTION=%s",
             arguments[1], arguments[2], arguments[3], arguments[4], arguments[5], !strcmp(arguments[6], "on"),
             strcmp(arguments[7], "on") ? "0" : COMPRESSED);
    if (!is_ok(SQLDriverConnect(connection, NULL, (SQLCHAR *)settings, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT))) {
        struct outcome out;
        diagnose(&out, SQL_HANDLE_DBC, connection);
        fprintf(stderr, "%s\n", out.error.message);
        return 1;
    }

    char version[64] = "";
    SQLGetInfo(connection, SQL_DRIVER_VER, version, sizeof version, NULL);
    begin("driver");
    printf(", \"version\": \"%s\"", version);
    end();
    for (int at = 0; at < 5; at++)
        tell_inserted(NAMES[at]);
    for (int at = 0; at < 5; at++)
        select_one(NAMES[at]);
    many();
    struct parameter update[] = {bytes_of("1M", "data"), text_of("2")};
    tell_affected("update", run("UPDATE trace SET data = ? WHERE id = ?", update));
    in_transaction("rollback", "gone", "1M", SQL_ROLLBACK);
    in_transaction("commit", "kept", "1", SQL_COMMIT);
    struct parameter again[] = {text_of("3"), text_of("again"), bytes_of("1M", "data"), bytes_of("1M", "raw")};
    tell_affected("duplicate", run("INSERT INTO trace (id, note, data, raw) VALUES (?, ?, ?, ?)", again));
    struct parameter key[] = {text_of("1")};
    tell_affected("unknown", run("SELECT nothing FROM trace WHERE note = ?", key));
    struct parameter gone[] = {text_of("0")};
    tell_affected("delete", run("DELETE FROM trace WHERE note = ?", gone));
    /* The last: of a MySQL's answer to SHOW WARNINGS this driver makes nothing, and loses its place. */
    warning();
    SQLDisconnect(connection);
    return 0;
}
