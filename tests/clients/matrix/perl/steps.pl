#!/usr/bin/perl
# The steps of ../README.md for DBD::MariaDB and DBD::mysql: the environment's DRIVER says which.
use strict;
use warnings;
use DBI qw(:sql_types);
use JSON::PP;

my ($host, $port, $user, $password, $database, $tls, $compression, $protocol, $folder) = @ARGV;
my $driver = $ENV{DRIVER};
my $prefix = $driver eq 'MariaDB' ? 'mariadb' : 'mysql';
my $INSERT = 'INSERT INTO trace (note, data, raw) VALUES (?, ?, ?)';
my @NAMES  = qw(0 1 1M 17M);
my $json   = JSON::PP->new->canonical;

my $dsn = "DBI:$driver:host=$host;port=$port;database=$database";
$dsn .= ";${prefix}_compression=1" if $compression eq 'on';
$dsn .= ";${prefix}_ssl=1;${prefix}_ssl_optional=1;${prefix}_ssl_verify_server_cert=0" if $tls eq 'on';
$dsn .= ";${prefix}_server_prepare=1" if $protocol eq 'prepared';
my $connection = DBI->connect($dsn, $user, $password,
    { RaiseError => 1, PrintError => 0, AutoCommit => 1, LongReadLen => 1 << 26 });

sub tell_step { my ($step, %outcome) = @_; print $json->encode({ step => $step, %outcome }), "\n" }

sub step {
    my ($name, $act) = @_;
    my %outcome = eval { $act->() };
    if (my $error = $@) {
        die $error unless $connection->err;
        %outcome = (error =>
            { code => 0 + $connection->err, sqlstate => $connection->state, message => $connection->errstr });
    }
    tell_step($name, %outcome);
}

sub value { my ($name) = @_; map { scalar slurp("$folder/in/$name.$_") } qw(data raw) }

sub slurp { my ($file) = @_; open my $in, '<:raw', $file or die "$file: $!"; local $/; my $all = <$in>; $all // '' }

# Executes with the first value as text and the others as bytes, except for numbers among the keys.
sub execute {
    my ($statement, @values) = @_;
    for my $at (0 .. $#values) {
        my $type = ref $values[$at] ? SQL_INTEGER : $at == 0 || ($values[0] && ref $values[0] && $at == 1)
            ? SQL_VARCHAR : SQL_BLOB;
        $statement->bind_param($at + 1, ref $values[$at] ? ${ $values[$at] } : $values[$at], $type);
    }
    return 0 + $statement->execute;
}

sub insert {
    my $statement = $connection->prepare($INSERT);
    my $affected  = execute($statement, @_);
    return (affected => $affected, id => 0 + $statement->{"${prefix}_insertid"});
}

sub count {
    my $statement = $connection->prepare('SELECT COUNT(*) FROM trace WHERE note = ?');
    execute($statement, @_);
    return (rows => 0 + $statement->fetchrow_arrayref->[0]);
}

tell_step('driver', version => "DBD::$driver"->VERSION);
for my $name (@NAMES) { step("insert $name", sub { insert($name, value($name)) }) }
step('insert null', sub { insert('null', undef, undef) });
for my $name (@NAMES, 'null') {
    step("select $name", sub {
        my $statement = $connection->prepare('SELECT data, raw FROM trace WHERE note = ?');
        execute($statement, $name);
        my $row = $statement->fetchrow_arrayref or return (rows => 0);
        my %found;
        @found{qw(data raw)} = @$row;
        for my $column (grep { defined $found{$_} } keys %found) {
            open my $out, '>:raw', "$folder/out/$name.$column" or die $!;
            print $out $found{$column};
            close $out or die $!;
        }
        return map { $_ => defined $found{$_} ? length $found{$_} : undef } keys %found;
    });
}
step('many', sub {
    my $statement = $connection->prepare($INSERT);
    my $affected  = 0;
    $affected += execute($statement, "many $_", value('1')) for 1 .. 3;
    return (affected => $affected);
});
step('update', sub {
    my $statement = $connection->prepare('UPDATE trace SET data = ? WHERE id = ?');
    $statement->bind_param(1, (value('1M'))[0], SQL_BLOB);
    $statement->bind_param(2, 2, SQL_INTEGER);
    return (affected => 0 + $statement->execute);
});
step('rollback', sub {
    $connection->begin_work;
    my $done = eval { insert('gone', value('1M')); 1 };
    my ($error, $code, $message, $state) = ($@, $connection->err, $connection->errstr, $connection->state);
    $connection->rollback;
    if (!$done) { $connection->set_err($code, $message, $state); die $error }
    return count('gone');
});
step('commit', sub {
    $connection->begin_work;
    insert('kept', value('1'));
    $connection->commit;
    return count('kept');
});
step('duplicate', sub {
    my $statement = $connection->prepare('INSERT INTO trace (id, note, data, raw) VALUES (?, ?, ?, ?)');
    execute($statement, \3, 'again', value('1M'));
    return ();
});
step('unknown', sub { execute($connection->prepare('SELECT nothing FROM trace WHERE note = ?'), '1'); return () });
step('warning', sub {
    my $statement = $connection->prepare($INSERT =~ s/INSERT/INSERT IGNORE/r);
    my $affected  = execute($statement, 'x' x 30, value('1'));
    my $rows      = $connection->selectall_arrayref('SHOW WARNINGS');
    return (affected => $affected, warnings => [map { [$_->[0], 0 + $_->[1], $_->[2]] } @$rows]);
});
step('delete', sub {
    return (affected => execute($connection->prepare('DELETE FROM trace WHERE note = ?'), '0'));
});
$connection->disconnect;
