"""`<zjson>`: whatever JSON can say, compressed."""

import json
import zlib

import datajoint as dj


class CompressedJsonCodec(dj.Codec):
    """A value as JSON text through zlib; `<blob>` packs the bytes."""

    name = "zjson"

    def get_dtype(self, is_store):
        return "<blob>"

    def encode(self, value, *, key=None, store_name=None):
        return zlib.compress(json.dumps(value).encode())

    def decode(self, stored, *, key=None):
        return json.loads(zlib.decompress(stored))
