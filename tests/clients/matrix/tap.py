"""A relay between a client and a server that tells what the client used of the protocol."""

import socket
import threading

COMPRESS, SSL, ZSTD = 1 << 5, 1 << 11, 1 << 26
COMMANDS = {0x03: "query", 0x16: "prepare", 0x17: "execute", 0x18: "long data", 0x1C: "fetch", 0xFA: "bulk"}


class Tap:
    """Listens on `port`; `capabilities` are those that client and server agreed on, `commands` the names of those seen
    (none when the connection is encrypted or compressed)."""

    def __init__(self, port):
        self.to = port
        self.capabilities, self.commands = 0, set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    @property
    def tls(self):
        return bool(self.capabilities & SSL)

    @property
    def compression(self):
        return bool(self.capabilities & (COMPRESS | ZSTD))

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.to))
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            offered = []
            threading.Thread(target=pump, args=(server, client, lambda data: self._greeting(offered, data)), daemon=True).start()
            threading.Thread(target=pump, args=(client, server, Statements(self, offered).see), daemon=True).start()

    @staticmethod
    def _greeting(offered, data):
        if not offered:
            at = data.index(b"\0", 5) + 1 + 4 + 8 + 1  # after the version: connection id, salt, filler
            low, high = data[at : at + 2], data[at + 5 : at + 7]
            offered.append(int.from_bytes(low + high, "little"))


class Statements:
    """Follows the packets of a client as far as they can be read."""

    def __init__(self, tap, offered):
        self.tap, self.offered = tap, offered
        self.pending, self.skip, self.follows = b"", 0, False
        self.logged_in = self.blind = False

    def see(self, data):
        if self.blind:
            return
        self.pending += data
        while len(self.pending) > self.skip:
            self.pending, self.skip = self.pending[self.skip :], 0
            if len(self.pending) < 9 and not self._is_short():
                return
            length, sequence = int.from_bytes(self.pending[:3], "little"), self.pending[3]
            self._packet(length, sequence)
            if self.blind:
                return
            self.skip, self.follows = 4 + length, length == 0xFFFFFF
        self.skip -= len(self.pending)
        self.pending = b""

    def _is_short(self):
        return len(self.pending) >= 4 and len(self.pending) >= 4 + int.from_bytes(self.pending[:3], "little")

    def _packet(self, length, sequence):
        if not self.logged_in:
            self.logged_in = True
            self.tap.capabilities = int.from_bytes(self.pending[4:8], "little") & self.offered[0]
            self.blind = self.tap.tls or self.tap.compression
        elif sequence == 0 and length and not self.follows:
            command = self.pending[4]
            self.tap.commands.add(COMMANDS.get(command, "other"))


def pump(source, sink, see):
    try:
        while data := source.recv(1 << 18):
            see(data)
            sink.sendall(data)
    except OSError:
        pass
    for one in (source, sink):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
