<?php
// mysqli, on mysqlnd. In the text protocol the values are escaped by real_escape_string.
require __DIR__ . '/steps.php';

mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$connection = mysqli_init();
$connection->options(MYSQLI_OPT_SSL_VERIFY_SERVER_CERT, false);
$flags = ($tls ? MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT : 0)
    | ($compression ? MYSQLI_CLIENT_COMPRESS : 0);
$connection->real_connect($host, $user, $password, $database, (int) $port, null, $flags);
$connection->set_charset('utf8mb4');

$driver = new class ($connection, $prepared) {
    public function __construct(private mysqli $connection, private bool $prepared) {}

    public function run(string $statement, array $values): array
    {
        if (!$this->prepared || $values === []) {
            return $this->outcome($this->connection->query($this->in_text($statement, $values)), $this->connection);
        }
        $prepared = $this->connection->prepare($statement);
        return $this->execute($prepared, $values);
    }

    public function many(string $statement, array $rows): int
    {
        if (!$this->prepared) {
            return array_sum(array_map(fn($row) => $this->run($statement, $row)[1], $rows));
        }
        $prepared = $this->connection->prepare($statement);
        return array_sum(array_map(fn($row) => $this->execute($prepared, $row)[1], $rows));
    }

    // Values are bound as strings; those of more than a MiB go ahead of the rest, in pieces.
    private function execute(mysqli_stmt $prepared, array $values): array
    {
        $is_long = fn($value) => is_string($value) && strlen($value) > 1 << 20;
        $types = implode('', array_map(fn($value) => $is_long($value) ? 'b' : 's', $values));
        $bound = array_map(fn($value) => $is_long($value) ? null : $value, $values);
        $prepared->bind_param($types, ...$bound);
        foreach (array_filter($values, $is_long) as $at => $value) {
            foreach (str_split($value, 1 << 20) as $piece) {
                $prepared->send_long_data($at, $piece);
            }
        }
        $prepared->execute();
        return $this->outcome($prepared->get_result(), $prepared);
    }

    private function in_text(string $statement, array $values): string
    {
        $pieces = explode('?', $statement);
        $text = array_shift($pieces);
        foreach ($pieces as $at => $piece) {
            $value = $values[$at];
            $text .= $value === null ? 'NULL' : "'" . $this->connection->real_escape_string((string) $value) . "'";
            $text .= $piece;
        }
        return $text;
    }

    private function outcome(mysqli_result|bool $result, mysqli|mysqli_stmt $of): array
    {
        return [$result instanceof mysqli_result ? $result->fetch_all() : [], $of->affected_rows, $of->insert_id];
    }

    public function begin(): void
    {
        $this->connection->begin_transaction();
    }

    public function commit(): void
    {
        $this->connection->commit();
    }

    public function rollback(): void
    {
        $this->connection->rollback();
    }

    public function error(mysqli_sql_exception $error): array
    {
        return ['code' => $error->getCode(), 'sqlstate' => $error->getSqlState(), 'message' => $error->getMessage()];
    }
};
run_steps($driver, phpversion());
