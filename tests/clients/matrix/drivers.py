"""The drivers of the matrix: a line each. See README.md for the contract of their programs."""

import dataclasses
import fnmatch
import os
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
TOOLS = pathlib.Path(os.environ.get("CODEC_PROXY_TOOLS", TARGET / "tools"))
BUILT = TOOLS / "matrix-built"  # where tests/setup/matrix.sh puts what is compiled
JARS = ["/usr/share/java/mariadb-java-client.jar", str(BUILT / "java")]


@dataclasses.dataclass
class Driver:
    name: str
    title: str
    command: list
    protocols: tuple = ("text", "prepared")
    compression: bool = True
    environment: dict = dataclasses.field(default_factory=dict)
    # A command that fails where the driver is not installed.
    probe: list = dataclasses.field(default_factory=list)
    # By protocol and mode (patterns of fnmatch), values that the driver cannot read or write without a proxy either;
    # its program leaves them out.
    without: dict = dataclasses.field(default_factory=dict)
    # What is known to differ: (server, protocol, mode, step), each a pattern of fnmatch, and the reason.
    known: dict = dataclasses.field(default_factory=dict)

    def without_in(self, protocol, mode):
        """The values that are left out."""
        return [
            name
            for pattern, names in self.without.items()
            if fnmatch.fnmatchcase(f"{protocol} {mode}", pattern)
            for name in names
        ]

    def reason(self, *where):
        """Why a difference is known; None if it is not."""
        for patterns, reason in self.known.items():
            if all(fnmatch.fnmatchcase(name, pattern) for name, pattern in zip(where, patterns)):
                return reason
        return None


TEXT = ("text",)
PREPARED = ("prepared",)
RSCRIPT = os.environ.get("CODEC_PROXY_TESTS_RSCRIPT", "Rscript")
NODE = {"NODE_PATH": str(TOOLS / "matrix-node/node_modules")}


def python(name, environment="matrix"):
    return [str(TOOLS / environment / "bin/python"), str(HERE / f"python/with_{name}.py")]


DRIVERS = [
    Driver("pymysql", "PyMySQL", python("pymysql"), TEXT, False),
    Driver("mysqlclient", "mysqlclient", python("mysqlclient"), TEXT),
    Driver("connector-python", "MySQL Connector/Python, in C", python("mysql_connector")),
    # Its binary protocol knows no row of more than 16 MiB.
    Driver(
        "connector-python-pure",
        "MySQL Connector/Python, pure",
        python("mysql_connector"),
        environment={"PURE": "1"},
        without={"prepared *": ["17M"]},
    ),
    # It prepares whatever has bytes among its values.
    Driver("mariadb-python", "MariaDB Connector/Python", python("mariadb"), PREPARED),
    Driver("sqlalchemy", "SQLAlchemy, on PyMySQL", python("sqlalchemy"), TEXT, False),
    Driver("aiomysql", "aiomysql", python("asyncio", "matrix-aiomysql"), TEXT, False, {"DRIVER": "aiomysql"}),
    # asyncmy 0.2.18 loses its place in a row of more than 16 MiB.
    Driver("asyncmy", "asyncmy", python("asyncio"), TEXT, False, {"DRIVER": "asyncmy"}, without={"text *": ["17M"]}),
    Driver("mysql2-node", "mysql2 (Node)", ["node", str(HERE / "node/with_mysql2.js")], environment=NODE),
    # It compresses no parameter of more than 16 MiB rightly.
    Driver(
        "mariadb-node",
        "MariaDB Connector/Node.js",
        ["node", str(HERE / "node/with_mariadb.js")],
        environment=NODE,
        without={"prepared compression": ["17M"]},
    ),
    Driver("go", "go-sql-driver", [str(BUILT / "go")], compression=False),
    Driver("java", "MariaDB Connector/J", ["java", "-Xmx1g", "-cp", ":".join(JARS), "WithConnectorJ"]),
    Driver("mysqli", "PHP mysqli", ["php", str(HERE / "php/with_mysqli.php")]),
    Driver("pdo", "PHP PDO", ["php", str(HERE / "php/with_pdo.php")]),
    Driver("dbd-mariadb", "Perl DBD::MariaDB", ["perl", str(HERE / "perl/steps.pl")], environment={"DRIVER": "MariaDB"}),
    Driver("dbd-mysql", "Perl DBD::mysql", ["perl", str(HERE / "perl/steps.pl")], environment={"DRIVER": "mysql"}),
    Driver("ruby", "Ruby mysql2", ["ruby", str(HERE / "ruby/with_mysql2.rb")]),
    Driver(
        "rmariadb",
        "R RMariaDB",
        [RSCRIPT, str(HERE / "r/with_rmariadb.R")],
        PREPARED,
        probe=[RSCRIPT, "-e", "library(RMariaDB)"],
    ),
    # sqlx 0.9 takes a text row of more than 16 MiB for the end of the result.
    Driver("sqlx", "Rust sqlx", [str(BUILT / "sqlx")], compression=False, without={"text *": ["17M"]}),
    Driver(
        "mysql-async",
        "Rust mysql_async",
        [str(BUILT / "mysql_async")],
        known={
            ("*", "prepared", "compression", "*"): "mysql_async 0.37 loses the connection when it compresses a "
            "parameter of 1 MiB, without a proxy too"
        },
    ),
    Driver("libmariadb", "C libmariadb", [str(BUILT / "libmariadb")]),
    Driver("odbc", "ODBC, MariaDB's driver", [str(BUILT / "odbc")]),
]
