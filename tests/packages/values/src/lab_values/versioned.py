"""`<versioned>`: two layouts of one value; the row's key says which a new row gets."""

import datajoint as dj


class VersionedCodec(dj.Codec):
    """Layout 1 keeps the value as it is, layout 2 beside its size; `schema_version` of the key chooses."""

    name = "versioned"

    def get_dtype(self, is_store):
        return "<blob>"

    def encode(self, value, *, key=None, store_name=None):
        version = int((key or {}).get("schema_version", 1))
        if version < 2:
            return {"layout": 1, "value": value}
        return {"layout": 2, "size": len(value), "value": value}

    def decode(self, stored, *, key=None):
        if stored["layout"] == 2 and stored["size"] != len(stored["value"]):
            raise ValueError("the value has lost some of its elements")
        return stored["value"]
