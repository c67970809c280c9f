"""Codecs that misbehave on demand, for tests of what that does to everybody else."""

import os
import pickle
import signal
import subprocess
import sys
import time

import datajoint as dj


def sleep(seconds):
    time.sleep(seconds)


def eat(size):
    pieces = []
    for _ in range(size >> 20):
        pieces.append(bytearray(1 << 20))


def chatter(lines):
    for number in range(lines):
        print("chatter", number)
        os.write(1, b"chatter beside the buffer\n")
        print("chatter, angrily", file=sys.stderr)
    if sys.stdin.read() != "":
        raise RuntimeError("somebody has said something")


def fork_twice(_):
    """Both processes go on, and there is a third that does not end."""
    os.fork()
    subprocess.Popen(["sleep", "1000"])


def breed(count):
    for _ in range(count):
        subprocess.Popen(["sleep", "1000"])


def crash(how):
    os.kill(os.getpid(), getattr(signal, how))


def leave(status):
    os._exit(status)


def exit_politely(status):
    sys.exit(status)


def babble(_):
    """Writes to every file that is open, the worker's socket too."""
    for file in range(3, 64):
        try:
            os.write(file, b"\xff" * 1000)
        except OSError:
            pass
    time.sleep(1000)


def complain(text):
    raise ValueError(text)


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError


def mumble(how):
    """Raises what can hardly be told."""
    raise Unspeakable if how == "not at all" else ValueError("half of a pair: \ud800")


def unpickle(_):
    pickle.loads(pickle.dumps(subprocess.run))


ACTIONS = {
    action.__name__: action
    for action in (
        sleep, eat, chatter, fork_twice, breed, crash, leave, exit_politely, babble, complain, mumble,
        unpickle,
    )
}  # fmt: skip


def act(value, when):
    if isinstance(value, dict) and when in value:
        name, argument = value[when]
        ACTIONS[name](argument)


class ActCodec(dj.Codec):
    """Does what the value says under `encode` and `decode`, as in `{"encode": ["sleep", 3]}`."""

    name = "act"

    def get_dtype(self, is_store):
        return "<blob>"

    def encode(self, value, *, key=None, store_name=None):
        act(value, "encode")
        return {"kept": value}

    def decode(self, stored, *, key=None):
        act(stored["kept"], "decode")
        return stored["kept"]


class ToldCodec(dj.Codec):
    """Keeps nothing but what it has been told: its surroundings, and how it was called."""

    name = "told"

    def get_dtype(self, is_store):
        return "json"

    def from_client(self, plain):
        return ("from a client", plain)

    def to_client(self, value):
        return {"to a client": value}

    def encode(self, value, *, key=None, context=None, store_name=None):
        config = context.pop("config")
        key = dict(key)
        assert key.pop("_config") is config
        return {
            "value": list(value),
            "key": {name: str(part) for name, part in key.items()},
            "context": context,
            "store": store_name,
            "stores": str(dict(config.stores)),
            "environment": dict(os.environ),
            "arguments": sys.argv,
        }

    def decode(self, stored, *, key=None, context=None):
        assert set(key) == {"_config"} and set(context) == {"config"}
        return stored


class StrayCodec(dj.Codec):
    """Stores whatever path it is given."""

    name = "stray"

    def get_dtype(self, is_store):
        return "<object>"

    def encode(self, value, *, key=None, store_name=None):
        return value

    def decode(self, stored, *, key=None):
        return stored
