"""Runs one call of a codec with the conventions of DataJoint 2.3.5."""

import inspect
import json
import os
import sys
import traceback
from pathlib import Path

import datajoint
from datajoint import blob

from . import clients, files

# Characters of an exception's text that a client sees, and of a traceback that is logged.
LONGEST_MESSAGE = 1000
LONGEST_TRACEBACK = 8000


class TooLarge(Exception):
    """A result that is larger than the proxy takes."""


class Runner:
    """The codecs, ready to run."""

    def __init__(self, codecs, settings):
        self.codecs = codecs
        self.allow_pickle = settings["allow_pickle"]
        self.scratch = settings["scratch"]
        self.config = configuration(settings.get("stores"))
        self.accepted = {}

    def run(self, call, value):
        """The header and the body of the answer; never raises."""
        try:
            codec = self.codecs[call["codec"]]
            if call["what"] == "encode":
                header, body = self.encode(codec, call, value)
            elif call["what"] == "decode":
                header, body = self.decode(codec, call, value)
            else:
                references = codec.referenced_paths(blob.unpack(bytes(value)))
                header, body = {"references": plain_references(references)}, b""
            if len(body) > call["most"]:
                raise TooLarge
            return header, body
        except TooLarge:
            return {"error": "limit", "message": ""}, b""
        except BaseException as error:
            return self.failed(error), b""

    def failed(self, error):
        answer = {
            "error": type(error).__name__,
            "message": written(lambda: str(error)[:LONGEST_MESSAGE]),
            "traceback": written(
                lambda: "".join(traceback.format_exception(error))[-LONGEST_TRACEBACK:]
            ),
        }
        # Memory that has run out once may be in pieces; a codec that wants to exit may.
        if isinstance(error, (MemoryError, SystemExit, KeyboardInterrupt)):
            answer["last"] = True
        return answer

    def encode(self, codec, call, body):
        if call["key"] is None:
            key = {}
        else:
            key, body = blob.unpack(bytes(body[: call["key"]])), body[call["key"] :]
        value = self.value(call, body)
        if call["outermost"]:
            value = self.from_client(codec, value)
            codec.validate(value)
        elif call["form"] == "packed":
            value = clients.to_object(value, self.allow_pickle)
        schema, table, field = call["site"]
        offered = {
            "store_name": call["store"],
            "context": {"schema": schema, "table": table, "field": field, "config": self.config},
        }
        underscored = {"_schema": schema, "_table": table, "_field": field, "_config": self.config}
        encode = type(codec).encode
        given = {name: offered[name] for name in offered if self.accepts(encode, name)}
        if self.accepts(encode, "key"):
            given["key"] = {**underscored, **key}
        result = codec.encode(value, **given)
        header, content = self.for_next(codec, result, call["next"])
        if call["references"]:
            header["references"] = plain_references(codec.referenced_paths(result))
        return header, content

    def decode(self, codec, call, body):
        stored = self.value(call, body)
        if call["form"] == "packed" and call["from_python"]:
            stored = clients.to_object(stored, self.allow_pickle)
        decode = type(codec).decode
        given = {}
        if self.accepts(decode, "key"):
            given["key"] = {"_config": self.config}
        if self.accepts(decode, "context"):
            given["context"] = {"config": self.config}
        value = codec.decode(stored, **given)
        if call["outermost"] and hasattr(codec, "to_client"):
            value = codec.to_client(value)
        else:
            value = clients.to_plain(value, self.allow_pickle)
        return {"form": "packed"}, blob.pack(value, compress=False)

    def value(self, call, body):
        """What the proxy has sent, as the codec takes it."""
        if call["form"] == "packed":
            return blob.unpack(bytes(body))
        if call["form"] == "bytes":
            return bytes(body)
        if call["form"] == "attached":
            return files.to_attached(bytes(body), self.scratch)
        return files.to_reference(call["object"], body, self.scratch)

    def from_client(self, codec, value):
        if hasattr(codec, "from_client"):
            return codec.from_client(value)
        return clients.to_object(value, self.allow_pickle)

    def for_next(self, codec, result, following):
        """What `encode` returned, as the next step of the chain takes it."""

        def wrong(what):
            name = type(result).__name__
            return TypeError(f"encode returned {name}, {following['name']} takes {what}")

        takes = following["takes"]
        if takes == "bytes":
            if not isinstance(result, (bytes, bytearray, memoryview)):
                raise wrong("bytes")
            return {"form": "bytes"}, bytes(result)
        if takes == "json":
            try:
                return {"form": "json"}, json.dumps(result).encode()
            except (TypeError, ValueError) as error:
                raise TypeError(
                    f"encode returned what json does not take: {error}"
                ) from error
        if takes == "files":
            if isinstance(result, (bytes, bytearray)):
                return {"form": "bytes"}, bytes(result)
            if isinstance(result, tuple) and len(result) == 2:
                extension, content = result
                content = content.read() if hasattr(content, "read") else content
                if isinstance(extension, (str, type(None))) and isinstance(content, bytes):
                    return {"form": "file", "ext": extension}, content
            if isinstance(result, (str, Path)):
                return files.collect(result, self.scratch, following["files"])
            raise wrong("bytes, (extension, bytes) or a path")
        if takes == "file":
            if isinstance(result, (str, Path)):
                header, content = files.collect(result, self.scratch, following["files"])
                if header["form"] == "file":
                    return {**header, "name": Path(result).name}, content
            raise wrong("the path of a file")
        if takes == "blob":
            return {"form": "packed"}, blob.pack(result, compress=True)
        if takes == "text" and not isinstance(result, (str, int, float, bool)):
            result = str(result)
        # Another codec, of any language: a value as a client would send it.
        result = clients.to_plain(result, self.allow_pickle)
        return {"form": "packed"}, blob.pack(result, compress=False)

    def accepts(self, function, name):
        """Whether a function has a parameter of that name, as DataJoint asks."""
        known = (function, name)
        if known not in self.accepted:
            parameters = inspect.signature(function).parameters
            keywords = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
            # `key` is always given by DataJoint.
            self.accepted[known] = name in parameters or (name == "key" and keywords)
        return self.accepted[known]


def configuration(stores):
    """DataJoint's own configuration, with the stores of the proxy or without any."""
    config = datajoint.config
    for name, value in (("stores", stores or {}), ("database.password", None)):
        try:
            config[name] = value
        except Exception as error:
            print(f"datajoint.config[{name!r}]: {error}", file=sys.stderr)
    return config


def written(text):
    """A text that can be sent, whatever the exception has in it."""
    try:
        return text().encode("utf-8", "replace").decode()
    except Exception as error:
        return f"({type(error).__name__} while it was written)"


def plain_references(references):
    return [[str(path), None if store is None else str(store)] for path, store in references]
