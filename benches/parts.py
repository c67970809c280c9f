"""The real parts that the benchmark starts, each on free ports and in one temporary directory that goes with them."""

import contextlib
import json
import os
import pathlib
import select
import shutil
import socket
import subprocess
import tempfile
import textwrap
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
TOOLS = pathlib.Path(os.environ.get("CODEC_PROXY_TOOLS", TARGET / "tools"))
ACCOUNT = "bench"  # user and password of the one database account
BUCKET = "bench"


class Failure(Exception):
    """A part did not start, or a load did not run."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program(name):
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        raise Failure(f"{name} is not installed: run `make bench`, which installs it")
    return found


class Part:
    """One running process and what can be read of it from outside."""

    patience = 5  # seconds that it is given to end when asked

    def __init__(self, name, process, log):
        self.name, self.process, self.log = name, process, log
        self.ports = {}

    def cpu(self):
        """CPU seconds that all its threads have used, those that have ended included, to the nanosecond.

        Linux makes the number of a process's CPU clock from its id (see clock_getcpuclockid in the C library).
        """
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def resident(self):
        """Resident memory now, in bytes. Unlike VmRSS the sum over the mappings is exact."""
        return self._kibibytes("smaps_rollup", "Rss:") * 1024

    def peak(self):
        """The most memory that was ever resident, in bytes."""
        return self._kibibytes("status", "VmHWM:") * 1024

    def stop(self):
        """Ends the process: asks, and insists when it takes too long."""
        if self.process.poll() is None and self.patience:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(self.patience)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def check(self):
        if self.process.poll() is not None:
            raise Failure(f"{self.name} ended with {self.process.returncode}:\n{self.last_words()}")

    def last_words(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def _kibibytes(self, file, key):
        for line in pathlib.Path(f"/proc/{self.process.pid}/{file}").read_text().splitlines():
            if line.startswith(key):
                return int(line.split()[1])
        raise Failure(f"no {key} in /proc/{self.process.pid}/{file}")


class Load(Part):
    """A process that answers each line of orders with one line of JSON."""

    def order(self, words):
        self.begin(words)
        return self.finish()

    def begin(self, words):
        self.process.stdin.write(f"{words}\n")
        self.process.stdin.flush()

    def has_answered(self):
        return bool(select.select([self.process.stdout], [], [], 0)[0])

    def finish(self):
        return json.loads(self.line())

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.check()
            raise Failure(f"{self.name} said nothing more:\n{self.last_words()}")
        return line.strip()

    def stop(self):
        self.process.stdin.close()
        super().stop()
        self.process.stdout.close()


class Workbench(contextlib.ExitStack):
    """Starts parts; when it is left they are ended, the youngest first, and the directory is removed."""

    def __init__(self, programs):
        super().__init__()
        self.codec_proxy, self.load_generator, self.packer, self.lab_codecs = programs
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="codec-proxy-bench-"))
        self.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder.chmod(0o755)  # MariaDB runs as another user and must get through
        self.count = 0

    def new_folder(self, name):
        self.count += 1
        folder = self.folder / f"{self.count}-{name}"
        folder.mkdir()
        return folder

    def start(self, name, command, kind=Part, stack=None, **options):
        log = self.new_folder(name) / "log"
        with open(log, "wb") as stream:
            part = kind(name, subprocess.Popen(command, stderr=stream, **{"stdout": stream, **options}), log)
        (stack or self).callback(part.stop)
        return part

    def load(self, *arguments, stack=None):
        """Starts the load generator and waits until it is ready."""
        return self.order_taker("load", [self.load_generator, *map(str, arguments)], stack)

    def order_taker(self, name, command, stack=None, **options):
        part = self.start(
            name, command, Load, stack, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
        )
        if part.line() != "ready":
            raise Failure(f"{name} is not ready")
        return part

    def mariadb(self):
        """A private MariaDB with the account of the benchmark. Its `sql` runs statements as root."""
        folder = self.new_folder("mariadb")
        data, server_socket, port = folder / "data", folder / "socket", free_port()
        own = [f"--datadir={data}", f"--tmpdir={folder}"]
        if os.geteuid() == 0:
            shutil.chown(folder, "mysql", "mysql")
            own.append("--user=mysql")
        install = [program("mariadb-install-db"), "--no-defaults", *own, "--auth-root-authentication-method=normal"]
        subprocess.run([*install, "--skip-test-db", "--skip-name-resolve"], check=True, capture_output=True)
        server = self.start(
            "mariadbd",
            [program("mariadbd"), "--no-defaults", *own, f"--socket={server_socket}", f"--port={port}"]
            + [f"--pid-file={folder / 'pid'}", "--bind-address=127.0.0.1", "--skip-name-resolve"]
            + ["--performance-schema=OFF", "--max-allowed-packet=1G", "--max-connections=1500", "--thread-cache-size=64"]
            + ["--innodb-buffer-pool-size=512M", "--innodb-flush-log-at-trx-commit=2", "--table-open-cache=400"],
        )
        server.ports["mysql"] = port

        def sql(text):
            client = [program("mariadb"), "--no-defaults", "-uroot", f"-S{server_socket}"]
            done = subprocess.run(client, input=text, text=True, capture_output=True)
            if done.returncode:
                raise Failure(f"{done.stderr.strip()}\n{text[:200]}")
            return done.stdout

        server.sql = sql
        wait_until(server, server_socket.exists)
        # The installer's anonymous accounts would be preferred to 'bench'@'%' on this machine.
        sql("DELETE FROM mysql.global_priv WHERE User = ''; FLUSH PRIVILEGES;")
        sql(f"CREATE USER {ACCOUNT}@'%' IDENTIFIED BY '{ACCOUNT}'; GRANT ALL ON *.* TO {ACCOUNT}@'%';")
        return server

    def haproxy(self, database):
        """HAProxy in TCP mode with its defaults: as many threads as the machine has cores."""
        port = free_port()
        config = self.new_folder("haproxy") / "haproxy.cfg"
        config.write_text(
            textwrap.dedent(f"""\
            defaults
                mode tcp
                timeout connect 10s
                timeout client 1h
                timeout server 1h
            listen mysql
                bind 127.0.0.1:{port}
                server database 127.0.0.1:{database.ports['mysql']}
            """)
        )
        proxy = self.start("haproxy", [program("haproxy"), "-db", "-f", str(config)])
        proxy.ports["bytes"] = port
        wait_until(proxy, lambda: answers(port))
        return proxy

    def proxy(self, database, store, stack=None, program=None):
        """codec-proxy (or `program`) with a `bytes` and a `stored` listener; `store` is the text of its [stores.main]."""
        config = self.new_folder("codec-proxy") / "codec-proxy.toml"
        config.write_text(
            textwrap.dedent(f"""\
            [database]
            address = "127.0.0.1:{database.ports['mysql']}"
            user = "{ACCOUNT}"
            password = "{ACCOUNT}"

            [[listen]]
            address = "127.0.0.1:0"
            view = "bytes"

            [[listen]]
            address = "127.0.0.1:0"
            view = "stored"

            [stores]
            default = "main"

            [stores.main]
            """)
            + store
        )
        proxy = self.start("codec-proxy", [program or self.codec_proxy, "serve", "--config", str(config)], stack=stack)

        def listening():
            for line in proxy.log.read_text(errors="replace").splitlines():
                with contextlib.suppress(ValueError):
                    entry = json.loads(line)
                    fields = {**entry, **entry.get("fields", {})}
                    if fields.get("message") == "listening":
                        proxy.ports[fields["view"]] = int(fields["address"].rpartition(":")[2])
            return {"bytes", "stored"} <= proxy.ports.keys()

        wait_until(proxy, listening)
        return proxy

    def file_store(self):
        """The [stores.main] of a store in a folder, and the folder."""
        folder = self.new_folder("store")
        return f'protocol = "file"\nlocation = "{folder}"\n', folder

    def s3_server(self):
        """SeaweedFS with one bucket."""
        folder = self.new_folder("seaweedfs")
        (folder / "data").mkdir()
        keys = [{"accessKey": ACCOUNT, "secretKey": ACCOUNT}]
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        identities = {"identities": [{"name": "admin", "credentials": keys, "actions": actions}]}
        (folder / "s3.json").write_text(json.dumps(identities))
        names = ["s3", "s3.grpc", "filer", "filer.grpc", "master", "master.grpc", "volume", "volume.grpc"]
        ports = {name: free_port() for name in names}
        flags = [f"-{name}.port{dot}{kind}={port}" for name, dot, kind, port in split_names(ports)]
        server = self.start(
            "seaweedfs",
            [str(TOOLS / "seaweedfs/bin/weed"), f"-logdir={folder}", "server", f"-dir={folder / 'data'}", "-ip=127.0.0.1"]
            + flags
            + ["-ip.bind=127.0.0.1", "-filer", "-s3", f"-s3.config={folder / 's3.json'}", "-s3.port.iceberg=0"]
            + ["-s3.port.lance=0", "-master.volumeSizeLimitMB=256", "-volume.max=20"],
            cwd=folder,
        )
        server.patience = 0  # it takes over ten seconds to end when asked
        server.ports.update(ports)

        def writable():
            with urllib.request.urlopen(f"http://127.0.0.1:{ports['master']}/dir/assign", timeout=2) as answer:
                return "fid" in json.load(answer)

        wait_until(server, writable, 60)
        # A bucket is a directory of the filer.
        url = f"http://127.0.0.1:{ports['filer']}/buckets/{BUCKET}/"
        urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=10).close()
        wait_until(server, lambda: answers(ports["s3"]))
        return server

    def delay(self, port, milliseconds):
        """A relay to `port` that holds every HTTP request back."""
        command = [self.load_generator, "delay", f"--to=127.0.0.1:{port}", f"--milliseconds={milliseconds}"]
        relay = self.start("delay", command, Load, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        relay.ports["http"] = int(relay.line())
        return relay


def split_names(ports):
    for name, port in ports.items():
        head, dot, kind = name.partition(".")
        yield head, dot, kind, port


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def wait_until(part, ready, seconds=30):
    """Asks until it is true, the part has died, or the time is over; errors of the network mean not yet."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        part.check()
        with contextlib.suppress(OSError, urllib.error.URLError):
            if ready():
                return
        time.sleep(0.05)
    raise Failure(f"{part.name} is not ready after {seconds} s:\n{part.last_words()}")
