"""`<spike_train>`: sorted times, kept as the small steps between them."""

import datajoint as dj
import numpy as np


class SpikeTrainCodec(dj.Codec):
    """Times of spikes in ascending order; exact as far as `float32` has their differences."""

    name = "spike_train"

    def get_dtype(self, is_store):
        return "<blob>"

    def validate(self, value):
        if not isinstance(value, np.ndarray):
            raise TypeError("spike times must be a NumPy array")
        if value.ndim != 1:
            raise ValueError("spike times must have one dimension")
        if np.any(value[1:] < value[:-1]):
            raise ValueError("spike times must be sorted")

    def encode(self, value, *, key=None, store_name=None):
        return np.diff(value, prepend=0).astype(np.float32)

    def decode(self, stored, *, key=None):
        return np.cumsum(stored, dtype=np.float64)
