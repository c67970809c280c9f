"""A worker of codec-proxy: runs the codecs of installed DataJoint packages.

codec-proxy starts it with the interpreter of its configuration and talks to it over a Unix socket,
which is file 0 at first. What else it needs is `datajoint`.

A message is two lengths (of a header in JSON, 4 bytes, and of a body, 8 bytes, both big-endian),
the header and the body. Bodies are values: packed by DataJoint, or bytes as they are.

1. The proxy sends `settings` (see `start`); the worker answers with the list of its codecs.
2. The proxy sends a frame: a list of calls, their values one after the other in the body. The worker
   answers each in order, soon after it is done (small answers together), and waits for the next
   frame. Before each call it notes its number in a file, for the case that no answer comes.
3. When the proxy closes the socket, the worker ends, and takes with it what it has started. (Should
   it be too busy for that, or the proxy be killed, the proxy's guard kills them all.)
"""

import gc
import json
import os
import resource
import shutil
import signal
import socket
import struct
import sys
import time
import warnings

LENGTHS = struct.Struct(">IQ")
NUMBERS = struct.Struct(">II")

# Up to so many bytes, and for so many seconds, answers wait for others.
SMALL = 65536
SOON = 0.001

# A worker with more children than this is replaced: its codec starts processes and leaves them.
MOST_CHILDREN = 8
# To count them takes as long as a call, so it is not done at each: seconds between two counts.
COUNTED = 0.02


class Channel:
    """The socket to the proxy."""

    def __init__(self, file):
        self.socket = socket.socket(fileno=file)
        self.unsent = bytearray()
        self.sent_at = 0
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

    def answer(self, header, body=b""):
        """Sends a message, unless it can wait for the next."""
        header = json.dumps(header).encode()
        self.unsent += LENGTHS.pack(len(header), len(body))
        self.unsent += header
        if len(body) < SMALL:
            self.unsent += body
            if len(self.unsent) < SMALL and time.monotonic() - self.sent_at < SOON:
                return
            self.flush()
        else:
            self.flush()
            self.socket.sendall(body)

    def flush(self):
        """Sends what waits."""
        if self.unsent:
            self.socket.sendall(self.unsent)
            self.unsent.clear()
        self.sent_at = time.monotonic()


class Progress:
    """The file that says how far this process has come."""

    def __init__(self, path):
        self.file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        self.frame = 0

    def note(self, call):
        os.pwrite(self.file, NUMBERS.pack(self.frame, call), 0)


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
    channel.answer(
        {"codecs": [found.describe(codec, origin) for codec, origin in codecs], "failures": failures}
    )
    channel.flush()
    runner = calls.Runner(dict((codec.name, codec) for codec, _ in codecs), settings)
    progress = Progress(settings["progress"])
    # What is there by now stays: it need not be looked through for garbage.
    gc.freeze()
    own = os.getpid()
    counted_at = 0
    while frame := channel.receive():
        header, body = frame
        progress.frame += 1
        at = 0
        last = header["calls"][-1]
        before = None
        for number, call in enumerate(header["calls"]):
            if call["codec"] != before:
                # When a call takes long, the proxy takes it for one of the codec that it waits for.
                channel.flush()
                before = call["codec"]
            progress.note(number)
            value, at = body[at : at + call["length"]], at + call["length"]
            state["in_call"] = True
            answer, content = runner.run(call, value)
            state["in_call"] = False
            if os.getpid() != own:
                os._exit(0)  # A codec has forked, and this is the child.
            if call is last and time.monotonic() - counted_at > COUNTED:
                if children() > MOST_CHILDREN:
                    answer["last"] = True
                counted_at = time.monotonic()
            channel.answer(answer, content)
            del value, content
            if answer.get("last"):
                channel.flush()
                return
        channel.flush()
        del body, frame
        reap()
        empty(settings["scratch"])


if __name__ == "__main__":
    try:
        main()
    finally:
        os.killpg(0, signal.SIGKILL)
