<?php
// The steps of ../README.md. A driver gives run(statement, values): [rows, affected, id]; begin, commit, rollback;
// and error(exception).

const INSERT = 'INSERT INTO trace (note, data, raw) VALUES (?, ?, ?)';
const NAMES = ['0', '1', '1M', '17M'];
const COLUMNS = ['data', 'raw'];
ini_set('memory_limit', '1G');

[, $host, $port, $user, $password, $database, $tls, $compression, $protocol, $folder] = $argv;
[$tls, $compression, $prepared] = [$tls === 'on', $compression === 'on', $protocol === 'prepared'];

function tell(string $step, array $outcome): void
{
    echo json_encode(['step' => $step] + $outcome, JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR), "\n";
}

function value(string $name): array
{
    global $folder;
    return array_map(fn($column) => file_get_contents("$folder/in/$name.$column"), COLUMNS);
}

function run_steps(object $driver, string $version): void
{
    global $folder;
    $step = function (string $name, callable $act) use ($driver) {
        try {
            tell($name, $act());
        } catch (mysqli_sql_exception | PDOException $error) {
            tell($name, ['error' => $driver->error($error)]);
        }
    };
    $insert = function (array $row) use ($driver) {
        [, $affected, $id] = $driver->run(INSERT, $row);
        return ['affected' => $affected, 'id' => $id];
    };
    $count = function (string $note) use ($driver) {
        [$rows] = $driver->run('SELECT COUNT(*) FROM trace WHERE note = ?', [$note]);
        return ['rows' => (int) $rows[0][0]];
    };

    tell('driver', ['version' => $version]);
    foreach (NAMES as $name) {
        $step("insert $name", fn() => $insert([$name, ...value($name)]));
    }
    $step('insert null', fn() => $insert(['null', null, null]));
    foreach ([...NAMES, 'null'] as $name) {
        $step("select $name", function () use ($driver, $folder, $name) {
            [$rows] = $driver->run('SELECT data, raw FROM trace WHERE note = ?', [$name]);
            if (count($rows) !== 1) {
                return ['rows' => count($rows)];
            }
            $told = [];
            foreach (array_combine(COLUMNS, $rows[0]) as $column => $found) {
                if ($found !== null) {
                    file_put_contents("$folder/out/$name.$column", $found);
                }
                $told[$column] = $found === null ? null : strlen($found);
            }
            return $told;
        });
    }
    $step('many', function () use ($driver) {
        $rows = array_map(fn($n) => ["many $n", ...value('1')], [1, 2, 3]);
        return ['affected' => $driver->many(INSERT, $rows)];
    });
    $step('update', function () use ($driver) {
        [, $affected] = $driver->run('UPDATE trace SET data = ? WHERE id = ?', [value('1M')[0], 2]);
        return ['affected' => $affected];
    });
    $step('rollback', function () use ($driver, $insert, $count) {
        $driver->begin();
        try {
            $insert(['gone', ...value('1M')]);
        } finally {
            $driver->rollback();
        }
        return $count('gone');
    });
    $step('commit', function () use ($driver, $insert, $count) {
        $driver->begin();
        $insert(['kept', ...value('1')]);
        $driver->commit();
        return $count('kept');
    });
    $step('duplicate', function () use ($driver) {
        $driver->run('INSERT INTO trace (id, note, data, raw) VALUES (?, ?, ?, ?)', [3, 'again', ...value('1M')]);
        return [];
    });
    $step('unknown', function () use ($driver) {
        $driver->run('SELECT nothing FROM trace WHERE note = ?', ['1']);
        return [];
    });
    $step('warning', function () use ($driver) {
        $statement = str_replace('INSERT', 'INSERT IGNORE', INSERT);
        [, $affected] = $driver->run($statement, [str_repeat('x', 30), ...value('1')]);
        [$rows] = $driver->run('SHOW WARNINGS', []);
        return ['affected' => $affected, 'warnings' => array_map(fn($row) => [$row[0], (int) $row[1], $row[2]], $rows)];
    });
    $step('delete', function () use ($driver) {
        [, $affected] = $driver->run('DELETE FROM trace WHERE note = ?', ['0']);
        return ['affected' => $affected];
    });
}
