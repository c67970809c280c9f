<?php
// PDO, on mysqlnd: ATTR_EMULATE_PREPARES decides between text and prepared.
require __DIR__ . '/steps.php';

$options = [
    PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
    PDO::ATTR_EMULATE_PREPARES => !$prepared,
    PDO::MYSQL_ATTR_COMPRESS => $compression,
];
if ($tls) {
    $options += [PDO::MYSQL_ATTR_SSL_CA => '', PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT => false];
}
$connection = new PDO("mysql:host=$host;port=$port;dbname=$database;charset=utf8mb4", $user, $password, $options);

$driver = new class ($connection) {
    public function __construct(private PDO $connection) {}

    public function run(string $statement, array $values): array
    {
        return $this->execute($this->connection->prepare($statement), $values);
    }

    public function many(string $statement, array $rows): int
    {
        $prepared = $this->connection->prepare($statement);
        return array_sum(array_map(fn($row) => $this->execute($prepared, $row)[1], $rows));
    }

    private function execute(PDOStatement $prepared, array $values): array
    {
        foreach ($values as $at => $value) {
            $type = match (true) {
                $value === null => PDO::PARAM_NULL,
                is_int($value) => PDO::PARAM_INT,
                $at < 1 => PDO::PARAM_STR,
                default => PDO::PARAM_LOB,
            };
            $prepared->bindValue($at + 1, $value, $type);
        }
        $prepared->execute();
        $rows = $prepared->columnCount() > 0 ? $prepared->fetchAll(PDO::FETCH_NUM) : [];
        return [$rows, $prepared->rowCount(), (int) $this->connection->lastInsertId()];
    }

    public function begin(): void
    {
        $this->connection->beginTransaction();
    }

    public function commit(): void
    {
        $this->connection->commit();
    }

    public function rollback(): void
    {
        $this->connection->rollBack();
    }

    public function error(PDOException $error): array
    {
        [$sqlstate, $code, $message] = $error->errorInfo ?? [null, $error->getCode(), $error->getMessage()];
        return ['code' => $code, 'sqlstate' => $sqlstate, 'message' => $message];
    }
};
run_steps($driver, phpversion());
