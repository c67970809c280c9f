"""`<zarr@>`: chunked arrays, a folder each, which `<object>` keeps."""

import tempfile
from pathlib import Path

import datajoint as dj
import zarr


class ZarrCodec(dj.Codec):
    """A Zarr array, or the path of one on disk. Reads as an array whose chunks come when they are used."""

    name = "zarr"

    def get_dtype(self, is_store):
        if not is_store:
            raise dj.DataJointError("<zarr> requires @ (its folders live in a store)")
        return "<object>"

    def validate(self, value):
        if not isinstance(value, (zarr.Array, str, Path)):
            raise TypeError(f"expected a zarr Array or its path, got {type(value).__name__}")

    def encode(self, value, *, key=None, store_name=None):
        if isinstance(value, (str, Path)):
            return str(value)
        folder = Path(tempfile.mkdtemp()) / "array.zarr"
        zarr.save_array(folder, value[...])
        return str(folder)

    def decode(self, stored, *, key=None):
        return zarr.open_array(stored.fsmap, mode="r")
