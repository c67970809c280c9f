"""`<parquet@>`: data frames as Parquet files, named by their rows' keys."""

import io

import datajoint as dj
import pandas as pd
from datajoint.builtin_codecs import SchemaCodec


class FrameRef:
    """A frame in a store. Its shape is known without reading it."""

    def __init__(self, stored, backend):
        self.path = stored["path"]
        self.store = stored["store"]
        self.shape = tuple(stored["shape"])
        self._backend = backend

    def load(self):
        return pd.read_parquet(io.BytesIO(self._backend.get_buffer(self.path)))


class ParquetCodec(SchemaCodec):
    """Writes one file for each value, and hands the row what it takes to find it."""

    name = "parquet"

    def validate(self, value):
        if not isinstance(value, pd.DataFrame):
            raise TypeError(f"expected a pandas DataFrame, got {type(value).__name__}")

    def encode(self, value, *, key=None, context=None, store_name=None):
        config = self._codec_config(key, context)
        schema, table, field, primary_key = self._extract_context(key, context)
        path, _ = self._build_path(
            schema, table, field, primary_key, ext=".parquet", store_name=store_name, config=config
        )
        file = io.BytesIO()
        value.to_parquet(file)
        self._get_backend(store_name, config=config).put_buffer(file.getvalue(), path)
        return {"path": path, "store": store_name, "shape": list(value.shape)}

    def decode(self, stored, *, key=None, context=None):
        config = self._codec_config(key, context)
        return FrameRef(stored, self._get_backend(stored["store"], config=config))
