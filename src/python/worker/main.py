"""A worker of codec-proxy: runs the codecs of installed DataJoint packages.

codec-proxy starts it with the interpreter of its configuration and talks to it over a Unix socket,
which is file 0 at first. What else it needs is `datajoint`.

A message is two lengths (of a header in JSON, 4 bytes, and of a body, 8 bytes, both big-endian),
the header and the body. Bodies are values: packed by DataJoint, or bytes as they are.

1. The proxy sends `settings` (see `start`); the worker answers with the list of its codecs.
2. The proxy sends a frame: a list of calls, their values one after the other in the body. The worker
   answers each as soon as it is done, in order, and waits for the next frame.
3. When the proxy closes the socket, the worker ends, and takes with it what it has started. (Should
   it be too busy for that, or the proxy be killed, the proxy's guard kills them all.)
"""

import json
import os
import resource
import shutil
import signal
import socket
import struct
import sys
import warnings

LENGTHS = struct.Struct(">IQ")

# A worker with more children than this is replaced: its codec starts processes and leaves them.
MOST_CHILDREN = 8


class Channel:
    """The socket to the proxy."""

    def __init__(self, file):
        self.socket = socket.socket(fileno=file)
        # A codec that forks and returns twice must not answer twice.
        os.register_at_fork(after_in_child=self.socket.close)

    def receive(self):
        """A header and a body; None when the proxy has closed the socket."""
        lengths = self.exactly(LENGTHS.size)
        if lengths is None:
            return None
        header, body = LENGTHS.unpack(lengths)
        return json.loads(bytes(self.exactly(header))), self.exactly(body)

    def exactly(self, size):
        buffer = bytearray(size)
        left = memoryview(buffer)
        while left:
            count = self.socket.recv_into(left)
            if count == 0:
                return None
            left = left[count:]
        return memoryview(buffer)

    def send(self, header, body=b""):
        header = json.dumps(header).encode()
        head = LENGTHS.pack(len(header), len(body)) + header
        if len(body) < 65536:
            self.socket.sendall(head + bytes(body))
        else:
            self.socket.sendall(head)
            self.socket.sendall(body)


def bound_memory(size):
    """Memory that is asked for beyond this is a MemoryError, which ends the call and no more."""
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def refuse_pickles(state):
    """While a call runs, no pickle loads a class: so none runs code that a client has sent."""

    def hook(event, arguments):
        if event == "pickle.find_class" and state["in_call"]:
            raise PermissionError(
                "pickled objects are not loaded: [codecs.python] allow_pickle is false"
            )

    sys.addaudithook(hook)


def children():
    """How many processes this one has started that are still there."""
    count = 0
    try:
        for thread in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{thread}/children") as file:
                count += len(file.read().split())
    except OSError:
        pass
    return count


def reap():
    """Takes note of children that have ended; nobody else waits for them once a call is done."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def empty(folder):
    """Removes what a call has left."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            os.unlink(entry.path)


def main():
    # What a codec reads from its standard input is nothing, and not the socket.
    channel = Channel(os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    settings, _ = channel.receive()
    bound_memory(settings["memory_bytes"])
    state = {"in_call": False}
    if not settings["allow_pickle"]:
        refuse_pickles(state)

    # It knows of no datajoint.json, and need not.
    warnings.filterwarnings("ignore", message="No datajoint.json found")
    # Only now: these may take their time and their memory.
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from codec_proxy_worker import calls, found

    sys.path.pop(0)
    codecs, failures = found.find()
    channel.send(
        {"codecs": [found.describe(codec, origin) for codec, origin in codecs], "failures": failures}
    )
    runner = calls.Runner(dict((codec.name, codec) for codec, _ in codecs), settings)
    own = os.getpid()
    while frame := channel.receive():
        header, body = frame
        at = 0
        calls_left = len(header["calls"])
        for call in header["calls"]:
            calls_left -= 1
            value, at = body[at : at + call["length"]], at + call["length"]
            state["in_call"] = True
            answer, content = runner.run(call, value)
            state["in_call"] = False
            if os.getpid() != own:
                os._exit(0)  # A codec has forked, and this is the child.
            if calls_left == 0 and children() > MOST_CHILDREN:
                answer["last"] = True
            channel.send(answer, content)
            del value, content
            if answer.get("last"):
                return
        del body, frame
        reap()
        empty(settings["scratch"])


if __name__ == "__main__":
    try:
        main()
    finally:
        os.killpg(0, signal.SIGKILL)
