# The steps of ../README.md for RMariaDB, which prepares whatever has parameters.
suppressPackageStartupMessages(library(DBI))

arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[9]
insert_statement <- "INSERT INTO trace (note, data, raw) VALUES (?, ?, ?)"
without <- strsplit(Sys.getenv("WITHOUT"), ",")[[1]]
value_names <- setdiff(c("0", "1", "1M", "17M"), without)

flags <- if (arguments[7] == "on") RMariaDB::CLIENT_COMPRESS else 0
if (arguments[6] == "on") flags <- bitwOr(flags, RMariaDB::CLIENT_SSL)
connection <- dbConnect(
  RMariaDB::MariaDB(),
  host = arguments[1], port = as.integer(arguments[2]), user = arguments[3], password = arguments[4],
  dbname = arguments[5], client.flag = flags, bigint = "integer"
)

quoted <- function(text) encodeString(text, quote = '"')

# The members of a line: numbers, NULL as null, and what is JSON already.
tell <- function(step, ...) {
  members <- list(...)
  json <- function(value) if (is.null(value)) "null" else as.character(value)
  texts <- vapply(names(members), function(name) paste0(quoted(name), ": ", json(members[[name]])), "")
  cat("{", paste(c(paste0('"step": ', quoted(step)), texts), collapse = ", "), "}\n", sep = "")
}

step <- function(name, act) {
  outcome <- tryCatch(act(), error = function(error) {
    list(error = paste0('{"message": ', quoted(conditionMessage(error)), "}"))
  })
  do.call(tell, c(list(name), outcome))
}

value <- function(name) {
  lapply(c("data", "raw"), function(column) {
    file <- file.path(folder, "in", paste0(name, ".", column))
    list(readBin(file, "raw", file.size(file)))
  })
}

# Affected rows.
execute <- function(statement, values) {
  result <- dbSendStatement(connection, statement)
  on.exit(dbClearResult(result))
  dbBind(result, unname(values))
  dbGetRowsAffected(result)
}

query <- function(statement, values = NULL) {
  result <- dbSendQuery(connection, statement)
  on.exit(dbClearResult(result))
  if (!is.null(values)) dbBind(result, unname(values))
  dbFetch(result)
}

insert <- function(note, values, statement = insert_statement) execute(statement, c(list(note), values))

last_id <- function() query("SELECT LAST_INSERT_ID() AS id")$id

count <- function(note) list(rows = query("SELECT COUNT(*) AS n FROM trace WHERE note = ?", list(note))$n)

tell("driver", version = quoted(as.character(packageVersion("RMariaDB"))))
for (name in value_names) {
  step(paste("insert", name), function() list(affected = insert(name, value(name)), id = last_id()))
}
step("insert null", function() list(affected = insert("null", list(list(NULL), list(NULL))), id = last_id()))
for (name in c(value_names, "null")) {
  step(paste("select", name), function() {
    row <- query("SELECT data, raw FROM trace WHERE note = ?", list(name))
    lengths <- lapply(c(data = "data", raw = "raw"), function(column) {
      found <- row[[column]][[1]]
      if (is.null(found)) return("null")
      writeBin(found, file.path(folder, "out", paste0(name, ".", column)))
      length(found)
    })
    lengths
  })
}
step("many", function() {
  # Every parameter is a column: RMariaDB executes once for each row.
  values <- lapply(value("1"), rep, 3)
  list(affected = execute(insert_statement, c(list(paste("many", 1:3)), values)))
})
step("update", function() {
  list(affected = execute("UPDATE trace SET data = ? WHERE id = ?", list(value("1M")[[1]], 2L)))
})
step("rollback", function() {
  dbBegin(connection)
  tryCatch(insert("gone", value("1M")), finally = dbRollback(connection))
  count("gone")
})
step("commit", function() {
  dbBegin(connection)
  insert("kept", value("1"))
  dbCommit(connection)
  count("kept")
})
step("duplicate", function() {
  execute("INSERT INTO trace (id, note, data, raw) VALUES (?, ?, ?, ?)", c(list(3L, "again"), value("1M")))
  list()
})
step("unknown", function() {
  query("SELECT nothing FROM trace WHERE note = ?", list("1"))
  list()
})
step("warning", function() {
  affected <- insert(strrep("x", 30), value("1"), sub("INSERT", "INSERT IGNORE", insert_statement))
  # At once, or it would be prepared, too, which forgets the warnings.
  result <- dbSendQuery(connection, "SHOW WARNINGS", immediate = TRUE)
  rows <- dbFetch(result)
  dbClearResult(result)
  warnings <- sprintf("[%s, %d, %s]", quoted(rows$Level), as.integer(rows$Code), quoted(rows$Message))
  list(affected = affected, warnings = paste0("[", paste(warnings, collapse = ", "), "]"))
})
step("delete", function() list(affected = execute("DELETE FROM trace WHERE note = ?", list("0"))))
dbDisconnect(connection)
