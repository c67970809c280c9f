"""A codec that lacks a method which DataJoint asks for: the class cannot be made."""

import datajoint as dj


class ShapelessCodec(dj.Codec):
    """Has no `get_dtype`."""

    name = "shapeless"

    def encode(self, value, *, key=None, store_name=None):
        return value

    def decode(self, stored, *, key=None):
        return stored
