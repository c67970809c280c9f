"""The parts that a suite runs on: a MariaDB, S3 servers, codec-proxy. Each is private, on free
ports, below a folder of its own, and ends with the `with` statement that started it."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(os.environ.get("CODEC_PROXY_TOOLS") or ROOT / "target/tools")
PASSWORD = "password"  # of root, as both suites have it
S3 = {"access_key": "datajoint", "secret_key": "datajoint", "bucket": "datajoint.test"}


class CannotRun(Exception):
    """A part did not start."""


class Part:
    """A process that is ended with SIGKILL: its files go with its folder."""

    def __init__(self, folder, command, environment=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.log = folder / "log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                # It must not survive this program, however that ends.
                ["setpriv", "--pdeathsig", "KILL", *map(str, command)],
                cwd=folder,
                env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin", **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def wait_until(self, ready, seconds=90):
        deadline = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise CannotRun(f"{self.folder.name} did not start:\n{self.log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.1)


def mariadb(folder):
    """A MariaDB with TLS whose root has the password that the suites expect, and its port."""
    folder.mkdir(parents=True)
    certificate, key = folder / "server.pem", folder / "server.key"
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
        "-keyout", key, "-out", certificate)
    accounts = folder / "accounts.sql"
    # Anonymous accounts, and roots of other hosts, shadow `user@'%'` on localhost.
    accounts.write_text(
        "DELETE FROM mysql.global_priv WHERE Host<>'localhost' OR User='';\nFLUSH PRIVILEGES;\n"
        f"CREATE USER root@'%' IDENTIFIED BY '{PASSWORD}';\n"
        "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;\n"
        f"ALTER USER root@localhost IDENTIFIED BY '{PASSWORD}';\n"
    )
    as_root = ["--user=root"] if os.getuid() == 0 else []
    data = folder / "data"
    run("mariadb-install-db", "--no-defaults", *as_root, f"--datadir={data}", f"--tmpdir={folder}",
        f"--extra-file={accounts}", "--auth-root-authentication-method=normal", "--skip-test-db",
        "--skip-name-resolve")
    port = free_port()
    server = Part(folder, [
        "mariadbd", "--no-defaults", *as_root, f"--datadir={data}", f"--tmpdir={folder}",
        f"--socket={folder / 'm.sock'}", f"--pid-file={folder / 'm.pid'}", f"--port={port}",
        "--bind-address=127.0.0.1", "--skip-name-resolve", "--innodb-buffer-pool-size=64M",
        "--innodb-log-file-size=48M", "--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync",
        "--max-allowed-packet=256M", "--performance-schema=OFF",
        f"--ssl-cert={certificate}", f"--ssl-key={key}",
    ])
    server.wait_until(lambda: answers(port))
    return server, port


def moto(folder, environment):
    """The S3 server that the suites themselves use, and its port."""
    port = free_port()
    server = Part(folder, [environment / "bin/moto_server", "-H", "127.0.0.1", "-p", port])
    server.wait_until(lambda: answers(port))
    return server, port


def seaweedfs(folder):
    """SeaweedFS, the S3 server of codec-proxy's stores, and the settings of a store on it."""
    folder.mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "s3.json").write_text(json.dumps({"identities": [{
        "name": "suites",
        "credentials": [{"accessKey": S3["access_key"], "secretKey": S3["secret_key"]}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }]}))
    ports = {name: free_port() for name in ("s3", "filer", "master", "volume")}
    options = [f"-{name}.port={port}" for name, port in ports.items()]
    options += [f"-{name}.port.grpc={free_port()}" for name in ports]
    server = Part(folder, [
        TOOLS / "seaweedfs/bin/weed", f"-logdir={folder}", "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        "-filer", "-s3", f"-dir={folder / 'data'}", f"-s3.config={folder / 's3.json'}", *options,
        # Without these it dies when someone else has their usual ports.
        "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.volumeSizeLimitMB=64", "-volume.max=60",
    ])
    # It answers 403 until a volume can be written.
    server.wait_until(lambda: "fid" in get(f"http://127.0.0.1:{ports['master']}/dir/assign")
                      and answers(ports["filer"]) and answers(ports["s3"]))
    bucket = urllib.request.Request(f"http://127.0.0.1:{ports['filer']}/buckets/{S3['bucket']}/", method="POST")
    urllib.request.urlopen(bucket, timeout=10).close()
    store = {"protocol": "s3", "endpoint": f"127.0.0.1:{ports['s3']}", "secure": False, "location": "", **S3}
    return server, store


def codec_proxy(folder, program, database_port, view, store, declare):
    """codec-proxy with one listener, and its port. `declare` is what `[declare]` says."""
    folder.mkdir(parents=True)
    port = free_port()
    if store["protocol"] == "file":
        Path(store["location"]).mkdir(parents=True, exist_ok=True)
    lines = ["[database]", f'address = "127.0.0.1:{database_port}"', 'user = "root"', f'password = "{PASSWORD}"',
             'tls = "follow"', "[[listen]]", f'address = "127.0.0.1:{port}"', f'view = "{view}"',
             "[stores]", 'default = "main"', "[stores.main]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in store.items()]
    if declare:
        lines += ["[declare]", *(f'{key} = "{value}"' for key, value in declare.items())]
    configuration = folder / "codec-proxy.toml"
    configuration.write_text("\n".join(lines) + "\n")
    server = Part(folder, [Path(program).resolve(), "serve", "--config", configuration])
    server.wait_until(lambda: answers(port))
    return server, port


def free_port():
    """A port that nothing listens on, below those that Linux gives to outgoing connections."""
    while True:
        port = 12_000 + int.from_bytes(os.urandom(2), "big") % 20_000
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def get(address):
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return response.read().decode(errors="replace")
    except OSError:
        return ""


def run(*command):
    outcome = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if outcome.returncode != 0:
        raise CannotRun(f"{command[0]} failed:\n{outcome.stdout[-2000:]}{outcome.stderr[-2000:]}")


def copy_tests(sources, target):
    """The tests and the markers that pytest knows of them, to be run in `target`."""
    shutil.copytree(sources / "tests", target / "tests")
    shutil.copy(sources / "pyproject.toml", target)
