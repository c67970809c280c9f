"""Chains that are long, that leave the store of their column, that go in circles, or break."""

import datetime

import datajoint as dj


class OutlineCodec(dj.Codec):
    """Text with an indentation in tabs: the first of four, and the last two are in other packages."""

    name = "outline"

    def get_dtype(self, is_store):
        return "<numbered>"

    def encode(self, value, *, key=None, store_name=None):
        return [[len(line) - len(line.lstrip("\t")), line.lstrip("\t")] for line in value.split("\n")]

    def decode(self, stored, *, key=None):
        return "\n".join("\t" * depth + text for depth, text in stored)


class NumberedCodec(dj.Codec):
    """A list, kept as a dict of its elements by their numbers."""

    name = "numbered"

    def get_dtype(self, is_store):
        return "<zjson>"

    def validate(self, value):
        # DataJoint asks only the outermost codec of a chain.
        raise AssertionError("an inner codec was asked to validate")

    def encode(self, value, *, key=None, store_name=None):
        return {str(number): element for number, element in enumerate(value)}

    def decode(self, stored, *, key=None):
        return [stored[str(number)] for number in range(len(stored))]


class ArchivedCodec(dj.Codec):
    """Text in the store `cold`, wherever the column would have it."""

    name = "archived"

    def get_dtype(self, is_store):
        return "<hash@cold>"

    def encode(self, value, *, key=None, store_name=None):
        # The store at the end of the chain, and not the column's.
        return f"{store_name}\n{value}".encode()

    def decode(self, stored, *, key=None):
        return stored.decode().partition("\n")[2]


class DurationCodec(dj.Codec):
    """A time span in a plain column of milliseconds, by which rows can be searched."""

    name = "duration"

    def get_dtype(self, is_store):
        return "int64"

    def validate(self, value):
        if not isinstance(value, (datetime.timedelta, float, int)):
            raise TypeError(f"expected seconds or a timedelta, got {type(value).__name__}")

    def encode(self, value, *, key=None, store_name=None):
        seconds = value.total_seconds() if isinstance(value, datetime.timedelta) else value
        return round(seconds * 1000)

    def decode(self, stored, *, key=None):
        return stored / 1000


class ChickenCodec(dj.Codec):
    """Comes from the egg."""

    name = "chicken"

    def get_dtype(self, is_store):
        return "<egg>"

    def encode(self, value, *, key=None, store_name=None):
        return value

    def decode(self, stored, *, key=None):
        return stored


class EggCodec(ChickenCodec):
    """Comes from the chicken."""

    name = "egg"

    def get_dtype(self, is_store):
        return "<chicken>"


class UndecidedCodec(ChickenCodec):
    """Does not say what it is stored as."""

    name = "undecided"

    def get_dtype(self, is_store):
        raise NotImplementedError


class BlunderCodec(ChickenCodec):
    """Says that it is stored as bytes, and hands on whatever it gets."""

    name = "blunder"

    def get_dtype(self, is_store):
        return "<hash>" if is_store else "bytes"


class CarefulCodec(ChickenCodec):
    """Refuses everything, with a text that would be dangerous if somebody did not quote it."""

    name = "careful"

    def get_dtype(self, is_store):
        return "<blob>"

    def encode(self, value, *, key=None, store_name=None):
        raise LookupError("nothing 'fits' \"here\":\n\x00\x1b[31m " + "very " * 1000 + "long")
