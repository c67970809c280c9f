# mysql2: `query` with escaped values is text, `prepare` is by the server.
require "json"
require "mysql2"

host, port, user, password, database, tls, compression, protocol, $folder = ARGV
INSERT = "INSERT INTO trace (note, data, raw) VALUES (?, ?, ?)"
NAMES = %w[0 1 1M 17M]
COLUMNS = %w[data raw]

options = { host: host, port: port.to_i, username: user, password: password, database: database, encoding: "utf8mb4" }
options[:flags] = Mysql2::Client::COMPRESS if compression == "on"
options.update(sslverify: false, sslcipher: "DEFAULT") if tls == "on"
$connection = Mysql2::Client.new(**options)
$prepared = protocol == "prepared"

def tell(step, **outcome)
  puts JSON.generate({ step: step, **outcome })
end

def step(name)
  tell(name, **yield)
rescue Mysql2::Error => error
  tell(name, error: { code: error.error_number, sqlstate: error.sql_state, message: error.message })
end

def value(name)
  COLUMNS.map { |column| File.binread("#{$folder}/in/#{name}.#{column}") }
end

def in_text(statement, values)
  rest = values.dup
  statement.b.gsub("?") do
    value = rest.shift
    value.nil? ? "NULL" : "'".b + $connection.escape(value.to_s.b).b + "'".b
  end
end

# Rows, affected rows, last insert id.
def run(statement, *values)
  if !$prepared || values.empty?
    result = $connection.query(in_text(statement, values), as: :array, cast: false)
    return [result.to_a, $connection.affected_rows, $connection.last_id]
  end
  prepared = $connection.prepare(statement)
  result = prepared.execute(*values, as: :array)
  [result.to_a, prepared.affected_rows, prepared.last_id]
end

def insert(*row)
  _, affected, id = run(INSERT, *row)
  { affected: affected, id: id }
end

def count(note)
  { rows: run("SELECT COUNT(*) FROM trace WHERE note = ?", note)[0][0][0].to_i }
end

tell("driver", version: Mysql2::VERSION)
NAMES.each { |name| step("insert #{name}") { insert(name, *value(name)) } }
step("insert null") { insert("null", nil, nil) }
[*NAMES, "null"].each do |name|
  step("select #{name}") do
    rows = run("SELECT data, raw FROM trace WHERE note = ?", name)[0]
    next { rows: rows.size } if rows.size != 1

    row = rows[0]
    COLUMNS.zip(row).to_h do |column, found|
      File.binwrite("#{$folder}/out/#{name}.#{column}", found) unless found.nil?
      [column.to_sym, found&.bytesize]
    end
  end
end
step("many") do
  rows = (1..3).map { |n| ["many #{n}", *value("1")] }
  if $prepared
    prepared = $connection.prepare(INSERT)
    rows.each { |row| prepared.execute(*row) }
    { affected: rows.size * prepared.affected_rows }
  else
    { affected: rows.sum { |row| run(INSERT, *row)[1] } }
  end
end
step("update") { { affected: run("UPDATE trace SET data = ? WHERE id = ?", value("1M")[0], 2)[1] } }
step("rollback") do
  $connection.query("START TRANSACTION")
  begin
    insert("gone", *value("1M"))
  ensure
    $connection.query("ROLLBACK")
  end
  count("gone")
end
step("commit") do
  $connection.query("START TRANSACTION")
  insert("kept", *value("1"))
  $connection.query("COMMIT")
  count("kept")
end
step("duplicate") do
  run("INSERT INTO trace (id, note, data, raw) VALUES (?, ?, ?, ?)", 3, "again", *value("1M"))
  {}
end
step("unknown") do
  run("SELECT nothing FROM trace WHERE note = ?", "1")
  {}
end
step("warning") do
  affected = run(INSERT.sub("INSERT", "INSERT IGNORE"), "x" * 30, *value("1"))[1]
  { affected: affected, warnings: run("SHOW WARNINGS")[0].map { |level, code, text| [level, code.to_i, text] } }
end
step("delete") { { affected: run("DELETE FROM trace WHERE note = ?", "0")[1] } }
$connection.close
