"""Files between the proxy and a codec that chains to <object> or <attach>."""

import os
import stat
import tempfile
from pathlib import Path

from datajoint.objectref import ObjectRef
from datajoint.storage import StorageBackend


def collect(path, scratch, most):
    """The file or folder that a codec has made, as a header and a body.

    It must lie in the worker's own folder: anything else may be what a client has named, and would
    be this machine's and not the client's.
    """
    path = Path(path)
    real = os.path.realpath(path)
    if not real.startswith(os.path.realpath(scratch) + os.sep):
        raise PermissionError(
            "the path that encode returned is not in the temporary folder of its process "
            "(tempfile.mkdtemp())"
        )
    if not os.path.isdir(real):
        return {"form": "file", "ext": path.suffix}, content(real)
    listed, contents = [], []
    for folder, folders, names in os.walk(real):
        for name in folders:
            if os.path.islink(os.path.join(folder, name)):
                raise PermissionError("a folder that encode returned has links in it")
        for name in names:
            if len(listed) == most:
                raise ValueError(
                    f"the folder that encode returned has more than {most} files "
                    "(limits.directory_files)"
                )
            file = os.path.join(folder, name)
            contents.append(content(file))
            listed.append([os.path.relpath(file, real), len(contents[-1])])
    return {"form": "files", "files": listed}, b"".join(contents)


def content(path):
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(file, "rb") as opened:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise PermissionError("a folder that encode returned has more in it than plain files")
        return opened.read()


def to_attached(framed, scratch):
    """The path of a file, as DataJoint's <attach> gives it."""
    name, _, content = framed.partition(b"\0")
    path = os.path.join(tempfile.mkdtemp(dir=scratch), os.path.basename(os.fsdecode(name)))
    with open(path, "wb") as file:
        file.write(content)
    return path


def to_reference(described, body, scratch):
    """An object of a store as DataJoint has it, over the files that the proxy has read."""
    metadata = described["metadata"]
    at = 0
    for name, size in described["files"]:
        path = os.path.join(scratch, metadata["path"], name) if name else os.path.join(
            scratch, metadata["path"]
        )
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(body[at : at + size])
        at += size
    if metadata.get("is_dir"):
        os.makedirs(os.path.join(scratch, metadata["path"]), exist_ok=True)
    backend = StorageBackend({"protocol": "file", "location": scratch})
    return ObjectRef.from_json(metadata, backend=backend)
