"""`<model>`: trained models, pickled."""

import pickle

import datajoint as dj


class Threshold:
    """The smallest thing that predicts: whether a number is above a limit."""

    def __init__(self, limit):
        self.limit = limit

    def predict(self, values):
        return [value > self.limit for value in values]

    def __eq__(self, other):
        return isinstance(other, Threshold) and other.limit == self.limit


class ModelCodec(dj.Codec):
    """Anything that predicts: packed into the row, or as it is pickled in a store."""

    name = "model"

    def get_dtype(self, is_store):
        return "<hash>" if is_store else "<blob>"

    def validate(self, value):
        if not callable(getattr(value, "predict", None)):
            raise TypeError(f"a model has a method predict(), and {type(value).__name__} has none")

    def encode(self, value, *, key=None, store_name=None):
        return pickle.dumps(value, protocol=5)

    def decode(self, stored, *, key=None):
        return pickle.loads(stored)
