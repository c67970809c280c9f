/* The steps of ../README.md for MariaDB's client library in C. In the text protocol values are escaped by
 * mysql_real_escape_string; prepared values of more than a MiB go ahead in pieces (mysql_stmt_send_long_data). */
#include <mysql.h>

#include "steps.h"

#define PIECE (1UL << 20)

static MYSQL *connection;
static int is_prepared;

static struct bytes text(const char *text)
{
    struct bytes found = {(char *)text, strlen(text)};
    return found;
}

/* The outcome of one statement: rows of at most three columns. */
struct outcome {
    int failed;
    struct error error;
    long affected, id;
    int rows, columns;
    struct bytes cells[8][3];
};

static void failed(struct outcome *out, long code, const char *sqlstate, const char *message)
{
    out->failed = 1;
    out->error.code = code;
    snprintf(out->error.sqlstate, sizeof out->error.sqlstate, "%s", sqlstate);
    snprintf(out->error.message, sizeof out->error.message, "%s", message);
}

static struct bytes copy(const char *at, unsigned long length)
{
    struct bytes found = {malloc(length + 1), length};
    if (!found.at)
        die("malloc");
    memcpy(found.at, at, length);
    found.at[length] = 0;
    return found;
}

static struct bytes in_text(const char *statement, const struct bytes *values)
{
    unsigned long size = strlen(statement) + 1;
    int at = 0;
    for (const char *c = statement; *c; c++)
        if (*c == '?')
            size += 2 * values[at++].length + 16;
    struct bytes out = {malloc(size), 0};
    if (!out.at)
        die("malloc");
    at = 0;
    for (const char *c = statement; *c; c++) {
        if (*c != '?') {
            out.at[out.length++] = *c;
        } else if (!values[at].at) {
            memcpy(out.at + out.length, "NULL", 4);
            out.length += 4;
            at++;
        } else {
            out.at[out.length++] = '\'';
            out.length += mysql_real_escape_string(connection, out.at + out.length, values[at].at, values[at].length);
            out.at[out.length++] = '\'';
            at++;
        }
    }
    return out;
}

static struct outcome run_text(const char *statement, const struct bytes *values)
{
    struct outcome out = {0};
    struct bytes sent = in_text(statement, values);
    if (mysql_real_query(connection, sent.at, sent.length)) {
        failed(&out, mysql_errno(connection), mysql_sqlstate(connection), mysql_error(connection));
        free(sent.at);
        return out;
    }
    free(sent.at);
    MYSQL_RES *result = mysql_store_result(connection);
    out.affected = mysql_affected_rows(connection);
    out.id = mysql_insert_id(connection);
    if (!result)
        return out;
    out.columns = mysql_num_fields(result);
    for (MYSQL_ROW row; (row = mysql_fetch_row(result)); out.rows++)
        for (int column = 0; column < out.columns; column++)
            if (row[column])
                out.cells[out.rows][column] = copy(row[column], mysql_fetch_lengths(result)[column]);
    mysql_free_result(result);
    return out;
}

static int bind(MYSQL_STMT *statement, const struct bytes *values)
{
    MYSQL_BIND bound[4] = {0};
    unsigned long count = mysql_stmt_param_count(statement);
    for (unsigned long at = 0; at < count; at++) {
        bound[at].buffer_type = values[at].at ? MYSQL_TYPE_BLOB : MYSQL_TYPE_NULL;
        bound[at].buffer = values[at].at;
        bound[at].buffer_length = values[at].length;
        bound[at].length = &bound[at].buffer_length;
    }
    if (mysql_stmt_bind_param(statement, bound))
        return 1;
    for (unsigned long at = 0; at < count; at++) {
        if (values[at].length <= PIECE)
            continue;
        for (unsigned long from = 0; from < values[at].length; from += PIECE) {
            unsigned long rest = values[at].length - from;
            if (mysql_stmt_send_long_data(statement, at, values[at].at + from, rest < PIECE ? rest : PIECE))
                return 1;
        }
    }
    return mysql_stmt_execute(statement);
}

static int fetch(MYSQL_STMT *statement, struct outcome *out)
{
    MYSQL_BIND bound[3] = {0};
    unsigned long lengths[3] = {0};
    my_bool is_null[3] = {0};
    out->columns = mysql_stmt_field_count(statement);
    for (int column = 0; column < out->columns; column++) {
        bound[column].buffer_type = MYSQL_TYPE_BLOB;
        bound[column].length = &lengths[column];
        bound[column].is_null = &is_null[column];
    }
    if (mysql_stmt_bind_result(statement, bound))
        return 1;
    for (int code; (code = mysql_stmt_fetch(statement)) == 0 || code == MYSQL_DATA_TRUNCATED; out->rows++) {
        for (int column = 0; column < out->columns; column++) {
            if (is_null[column])
                continue;
            struct bytes *cell = &out->cells[out->rows][column];
            *cell = copy("", 0);
            cell->at = realloc(cell->at, lengths[column] + 1);
            cell->length = lengths[column];
            MYSQL_BIND one = {0};
            one.buffer_type = MYSQL_TYPE_BLOB;
            one.buffer = cell->at;
            one.buffer_length = lengths[column];
            if (lengths[column] && mysql_stmt_fetch_column(statement, &one, column, 0))
                return 1;
            cell->at[cell->length] = 0;
        }
    }
    return mysql_stmt_errno(statement) != 0;
}

static struct outcome execute(MYSQL_STMT *statement, const struct bytes *values)
{
    struct outcome out = {0};
    if (bind(statement, values) || (mysql_stmt_field_count(statement) && fetch(statement, &out)))
        failed(&out, mysql_stmt_errno(statement), mysql_stmt_sqlstate(statement), mysql_stmt_error(statement));
    out.affected = mysql_stmt_affected_rows(statement);
    out.id = mysql_stmt_insert_id(statement);
    return out;
}

static struct outcome run(const char *statement, const struct bytes *values)
{
    if (!is_prepared || !strchr(statement, '?'))
        return run_text(statement, values);
    MYSQL_STMT *prepared = mysql_stmt_init(connection);
    struct outcome out = {0};
    if (mysql_stmt_prepare(prepared, statement, strlen(statement)))
        failed(&out, mysql_stmt_errno(prepared), mysql_stmt_sqlstate(prepared), mysql_stmt_error(prepared));
    else
        out = execute(prepared, values);
    mysql_stmt_close(prepared);
    return out;
}

static struct outcome insert(const char *statement, const char *note, const char *name)
{
    struct bytes row[] = {text(note), value(name, "data"), value(name, "raw")};
    struct outcome out = run(statement, row);
    free(row[1].at);
    free(row[2].at);
    return out;
}

static void select_one(const char *name)
{
    char step[32];
    snprintf(step, sizeof step, "select %s", name);
    struct bytes key[] = {text(name)};
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
    struct outcome out = {0};
    long affected = 0;
    MYSQL_STMT *prepared = mysql_stmt_init(connection);
    if (is_prepared && mysql_stmt_prepare(prepared, INSERT, strlen(INSERT)))
        failed(&out, mysql_stmt_errno(prepared), mysql_stmt_sqlstate(prepared), mysql_stmt_error(prepared));
    for (int number = 1; number <= 3 && !out.failed; number++) {
        char note[16];
        snprintf(note, sizeof note, "many %d", number);
        struct bytes row[] = {text(note), value("1", "data"), value("1", "raw")};
        out = is_prepared ? execute(prepared, row) : run_text(INSERT, row);
        affected += out.affected;
    }
    mysql_stmt_close(prepared);
    if (out.failed)
        tell_error("many", &out.error);
    else
        tell("many", "affected", affected, NULL);
}

static void in_transaction(const char *step, const char *note, const char *name, int is_committed)
{
    mysql_autocommit(connection, 0);
    struct outcome out = insert(INSERT, note, name);
    if (is_committed)
        mysql_commit(connection);
    else
        mysql_rollback(connection);
    mysql_autocommit(connection, 1);
    if (!out.failed) {
        struct bytes key[] = {text(note)};
        out = run("SELECT COUNT(*) FROM trace WHERE note = ?", key);
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
    struct outcome warnings = run_text("SHOW WARNINGS", NULL);
    if (out.failed || warnings.failed) {
        tell_error("warning", out.failed ? &out.error : &warnings.error);
        return;
    }
    begin("warning");
    printf(", \"affected\": %ld, \"warnings\": [", out.affected);
    for (int row = 0; row < warnings.rows; row++) {
        printf(row ? ", [" : "[");
        quoted(warnings.cells[row][0].at);
        printf(", %s, ", warnings.cells[row][1].at);
        quoted(warnings.cells[row][2].at);
        putchar(']');
    }
    putchar(']');
    end();
}

static void tell_affected(const char *step, struct outcome out)
{
    if (out.failed)
        tell_error(step, &out.error);
    else
        tell(step, "affected", out.affected, NULL);
}

static void tell_inserted(const char *name)
{
    char step[32];
    snprintf(step, sizeof step, "insert %s", name);
    struct outcome out = insert(INSERT, name, name);
    if (out.failed)
        tell_error(step, &out.error);
    else
        tell(step, "affected", out.affected, "id", out.id, NULL);
}

int main(int count, char **arguments)
{
    if (count != 10)
        return 2;
    folder = arguments[9];
    is_prepared = !strcmp(arguments[8], "prepared");
    connection = mysql_init(NULL);
    my_bool yes = 1, no = 0;
    mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no);
    if (!strcmp(arguments[6], "on"))
        mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &yes);
    if (!strcmp(arguments[7], "on"))
        mysql_options(connection, MYSQL_OPT_COMPRESS, NULL);
    if (!mysql_real_connect(connection, arguments[1], arguments[3], arguments[4], arguments[5], atoi(arguments[2]), NULL, 0)) {
        fprintf(stderr, "%s\n", mysql_error(connection));
        return 1;
    }

    begin("driver");
    printf(", \"version\": \"%s\"", mysql_get_client_info());
    end();
    for (int at = 0; at < 5; at++)
        tell_inserted(NAMES[at]);
    for (int at = 0; at < 5; at++)
        select_one(NAMES[at]);
    many();
    struct bytes update[] = {value("1M", "data"), text("2")};
    tell_affected("update", run("UPDATE trace SET data = ? WHERE id = ?", update));
    in_transaction("rollback", "gone", "1M", 0);
    in_transaction("commit", "kept", "1", 1);
    struct bytes again[] = {text("3"), text("again"), value("1M", "data"), value("1M", "raw")};
    tell_affected("duplicate", run("INSERT INTO trace (id, note, data, raw) VALUES (?, ?, ?, ?)", again));
    struct bytes key[] = {text("1")};
    tell_affected("unknown", run("SELECT nothing FROM trace WHERE note = ?", key));
    warning();
    struct bytes gone[] = {text("0")};
    tell_affected("delete", run("DELETE FROM trace WHERE note = ?", gone));
    mysql_close(connection);
    return 0;
}
