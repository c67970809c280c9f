"""A codec by the name of one of DataJoint's own, which stays what it is."""

import datajoint as dj


class BlobCodec(dj.Codec):
    """Would lose every value."""

    name = "blob"

    def get_dtype(self, is_store):
        return "bytes"

    def encode(self, value, *, key=None, store_name=None):
        return b""

    def decode(self, stored, *, key=None):
        return None
