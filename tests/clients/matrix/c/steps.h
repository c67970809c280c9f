/* What the programs in C share: the arguments, the values as files, lines of JSON. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INSERT "INSERT INTO trace (note, data, raw) VALUES (?, ?, ?)"

struct bytes {
    char *at; /* NULL is NULL */
    unsigned long length;
};

struct error {
    long code;
    char sqlstate[8];
    char message[1024];
};

static const char *const NAMES[] = {"0", "1", "1M", "17M", "null"};
static const char *const COLUMNS[] = {"data", "raw"};
static const char *folder;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* The value of that name and column; NULL for the name "null". */
static struct bytes value(const char *name, const char *column)
{
    struct bytes found = {NULL, 0};
    if (!strcmp(name, "null"))
        return found;
    char path[512];
    snprintf(path, sizeof path, "%s/in/%s.%s", folder, name, column);
    FILE *in = fopen(path, "rb");
    if (!in || fseek(in, 0, SEEK_END))
        die(path);
    found.length = ftell(in);
    rewind(in);
    found.at = malloc(found.length + 1);
    if (!found.at || fread(found.at, 1, found.length, in) != found.length)
        die(path);
    fclose(in);
    return found;
}


/* Writes what was found for that name and column. */
static void keep(const char *name, const char *column, struct bytes found)
{
    char path[512];
    snprintf(path, sizeof path, "%s/out/%s.%s", folder, name, column);
    FILE *out = fopen(path, "wb");
    if (!out || fwrite(found.at, 1, found.length, out) != found.length || fclose(out))
        die(path);
}

static void quoted(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
    putchar('"');
}

/* The beginning of a line, and all of it. */
static void begin(const char *step)
{
    printf("{\"step\": ");
    quoted(step);
}

static void end(void)
{
    puts("}");
    fflush(stdout);
}

static void tell_error(const char *step, const struct error *error)
{
    begin(step);
    printf(", \"error\": {\"code\": %ld, \"sqlstate\": ", error->code);
    quoted(error->sqlstate);
    printf(", \"message\": ");
    quoted(error->message);
    putchar('}');
    end();
}

/* A step that tells numbers: `names` and a long for each; NULL ends them. */
static void tell(const char *step, ...)
{
    va_list arguments;
    va_start(arguments, step);
    begin(step);
    for (const char *name; (name = va_arg(arguments, const char *));) {
        printf(", ");
        quoted(name);
        printf(": %ld", va_arg(arguments, long));
    }
    va_end(arguments);
    end();
}
