"""Writes npy_vectors.json: arrays as NumPy saves them and as DataJoint packs them.

    python tests/vectors/npy_vectors.py > tests/vectors/npy_vectors.json

For each array: "file" is what numpy.save writes, "dtype" and "shape" what NpyCodec notes of it,
"packed" what blob.pack makes of it in little-endian bytes (null where it refuses), "again" what
numpy.save writes of what blob.unpack gives back (null where it refuses). All bytes in
hexadecimal.
"""

import io
import json
import warnings

import numpy as np
from datajoint import blob

warnings.simplefilter("ignore")

ARRAYS = """
np.arange(6.0).reshape(2, 3)
np.asfortranarray(np.arange(6.0).reshape(2, 3))
np.arange(24, dtype="i2").reshape(2, 3, 4)
np.asfortranarray(np.arange(24, dtype="i2").reshape(2, 3, 4))
np.arange(3, dtype="u1")
np.arange(3, dtype="i1").reshape(1, 3)
np.arange(3, dtype="u8").reshape(3, 1, 1)
np.array([[True, False], [True, True]])
np.zeros((0, 3), dtype="f4")
np.zeros((2, 0, 3))
np.zeros(0)
np.array(5.5)
np.array([[1 + 2j, 3], [4, -5j]])
np.array([[1 + 2j, 3], [4, -5j]], dtype="c8")
np.array([1, -2], dtype=">i4")
np.array([[1.5, 2], [3, 4]], dtype=">f8")
np.array([1 + 2j], dtype=">c16")
np.array(["2020-01-02", "NaT"], dtype="M8[D]")
np.array(["2020-01-02T03:04:05"], dtype=">M8[ns]")
np.array(["2020"], dtype="M8[25Y]")
np.array([1], dtype="m8[s]")
np.array([1.5], dtype="f2")
np.array([1.5], dtype="g")
np.array([b"abc", b""])
np.array([b"a", b"b"])
np.array(["abc", "é😀", ""])
np.array([["a", "b", "c"], ["d", "e", "f"]])
np.array(["ab"], dtype=">U2")
np.array("abc")
np.zeros(2, dtype="V3")
np.array([(1, 2.5), (3, 4.5)], dtype=[("a", "i4"), ("b", "f8")])
np.array([[(1, 2)], [(3, 4)]], dtype=[("a", "u1"), ("b", "?")])
np.array([(1, "xy")], dtype=[("é", ">i2"), ("it's", "U3")])
np.zeros(2, dtype=np.dtype([("a", "u1"), ("b", "i4")], align=True))
np.array([(1, (2, 3))], dtype=[("a", "i4"), ("n", [("x", "i2"), ("y", "u1")])])
np.array([(1, [2, 3])], dtype=[("a", "i4"), ("s", "f4", (2,))])
np.zeros(1, dtype=[(("title", "name"), "i4")])
np.zeros(1, dtype=[("名", "i4")])
""".strip().splitlines()


def saved(array):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue().hex()


def attempt(function, *args):
    try:
        return function(*args)
    except Exception:
        return None


vectors = []
for expression in ARRAYS:
    array = eval(expression)
    file = saved(array)
    loaded = np.load(io.BytesIO(bytes.fromhex(file)))
    packed = attempt(lambda: blob.pack(array.astype(array.dtype.newbyteorder("<"))))
    again = None if packed is None else attempt(lambda: saved(np.asarray(blob.unpack(packed))))
    vectors.append(
        {
            "python": expression,
            "file": file,
            "dtype": str(loaded.dtype),
            "shape": list(loaded.shape),
            "packed": packed and packed.hex(),
            "again": again,
        }
    )
print(json.dumps(vectors, indent=1))
