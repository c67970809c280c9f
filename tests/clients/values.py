"""Random values of every kind that DataJoint packs, and the strictest comparison of two of them.

Imports DataJoint 2: its MATLAB arrays, and its `pack`, which tells what a set holds.
"""

import datetime
import decimal
import struct
import uuid

import numpy as np
from datajoint.blob import MatCell, MatStruct, pack, unpack
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

NUMBERS = "bool int8 uint8 int16 uint16 int32 uint32 int64 uint64 float32 float64 complex64 complex128".split()
UNITS = "Y M W D h m s ms us ns ps fs as".split()
FIXED = NUMBERS + [f"datetime64[{unit}]" for unit in UNITS]


def random_values(count, number):
    """`count` values of which none is None, the same for the same `number`."""
    found = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(anything.filter(lambda value: value is not None))
    def gather(value):
        found.append(value)

    gather()
    return found


def parts(value):
    """What a value is made of, one level down."""
    if isinstance(value, dict):
        return [part for pair in value.items() for part in pair]
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    if isinstance(value, np.ndarray) and value.dtype.names:
        return [np.asarray(value[name]) for name in value.dtype.names]
    if isinstance(value, np.ndarray) and value.dtype == object:
        return list(value.flat)
    return []


def readable(blob):
    """Whether DataJoint itself can read what it has packed: some ragged arrays it cannot."""
    try:
        unpack(blob)
    except Exception:
        return False
    return True


def identical(found, expected):
    """Equal in type, dtype, shape and every bit, however deep."""
    if type(found) is not type(expected):
        return False
    if isinstance(expected, np.ndarray):
        if (found.dtype, found.shape) != (expected.dtype, expected.shape):
            return False
        if expected.dtype.names:
            fields = ((np.asarray(found[name]), np.asarray(expected[name])) for name in expected.dtype.names)
            return all(identical(left, right) for left, right in fields)
        if expected.dtype == object:
            return all(identical(left, right) for left, right in zip(found.flat, expected.flat))
        return found.tobytes() == expected.tobytes()
    if isinstance(expected, np.void):
        return found.dtype == expected.dtype and identical(found.item(), expected.item())
    if isinstance(expected, np.generic) and not isinstance(expected, (str, bytes)):
        return found.dtype == expected.dtype and found.tobytes() == expected.tobytes()
    if isinstance(expected, dict):
        return len(found) == len(expected) and all(
            identical(left, right) for pair in zip(found.items(), expected.items()) for left, right in zip(*pair)
        )
    if isinstance(expected, (list, tuple)):
        return len(found) == len(expected) and all(map(identical, found, expected))
    if isinstance(expected, (set, frozenset)):
        return sorted(map(pack, found)) == sorted(map(pack, expected))
    if isinstance(expected, float):
        return struct.pack("d", found) == struct.pack("d", expected)
    if isinstance(expected, complex):
        return struct.pack("2d", found.real, found.imag) == struct.pack("2d", expected.real, expected.imag)
    if isinstance(expected, decimal.Decimal):
        return str(found) == str(expected)
    return found == expected


def _number(dtype):
    """Any element of `dtype`: every pattern of bits (bool and NaT included), often a plain one."""
    width = np.dtype(dtype).itemsize
    if dtype == "bool":
        return st.booleans().map(np.bool_)
    bits = st.binary(min_size=width, max_size=width).map(lambda raw: np.frombuffer(raw, dtype)[0])
    plain = st.integers(0, 100).map(lambda small: np.array(small, "int64").astype(dtype)[()])
    return st.one_of(plain, bits)


@st.composite
def _array(draw, dtype):
    shape = draw(_shapes)
    size = int(np.prod(shape))
    elements = [draw(_number(dtype)) for _ in range(size)]
    return _laid_out(draw, np.array(elements, dtype).reshape(shape))


@st.composite
def _large_array(draw):
    """Beyond the 1,000 bytes from which on DataJoint compresses, or tries to."""
    dtype = draw(st.sampled_from(FIXED))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = draw(st.sampled_from([(1500,), (40, 50), (7, 11, 13), (1, 2000), (2000, 1)]))
    top = draw(st.sampled_from([2, 100, 2**15]))
    numbers = random.integers(0, top, shape)
    return _laid_out(draw, numbers.astype(dtype) if dtype != "bool" else numbers % 2 == 0)


def _laid_out(draw, array):
    """The same elements in another order in memory, or a view with gaps."""
    change = draw(st.sampled_from(["C", "C", "F", "transposed", "gaps", "backwards"]))
    if array.ndim == 0 or change == "C":
        return array
    if change == "F":
        return np.asfortranarray(array)
    if change == "transposed":
        return array.T
    return array[::2] if change == "gaps" else array[::-1]


@st.composite
def _of_objects(draw, elements, kind=np.ndarray):
    shape = draw(_shapes)
    array = np.empty(shape, object)
    for at in np.ndindex(*shape):
        array[at] = draw(elements)
    return array.view(kind)


@st.composite
def _struct(draw, elements):
    names = draw(_field_names)
    shape = draw(_shapes)
    array = np.empty(shape, [(name, object) for name in names])
    for name in names:
        for at in np.ndindex(*shape):
            array[name][at] = draw(elements)
    return array.view(MatStruct)


@st.composite
def _structured(draw, depth=1):
    def field():
        if depth and draw(st.integers(0, 4)) == 0:
            return [(name, draw(st.sampled_from(FIXED))) for name in draw(_field_names)]
        return draw(st.sampled_from(FIXED + ["U1", "U5"]))

    shape = draw(_shapes)
    dtype = np.dtype([(name, field()) for name in draw(_field_names)], align=draw(st.booleans()))
    array = np.zeros(shape, dtype)
    _fill(draw, array)
    return array.view(np.recarray) if draw(st.booleans()) else array


def _fill(draw, array):
    for name in array.dtype.names:
        inner = array.dtype[name]
        if inner.names:
            _fill(draw, array[name])
            continue
        elements = st.text("aé✓😀 ", max_size=5) if inner.kind == "U" else _number(str(inner))
        for at in np.ndindex(*array.shape):
            array[name][at] = draw(elements)


_shapes = st.lists(st.integers(0, 4), max_size=3).map(tuple)
_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_field_names = st.lists(
    st.one_of(
        st.sampled_from(["x", "y", "trial", "$array", "shape", "value"]),
        st.text("abcé_ $\"'\\", min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=4,
    unique=True,
)
_floats = st.one_of(
    st.floats(),
    st.sampled_from([-0.0, 5e-324, 1e16, 1e22, 123456789012345680.0, float(2**53)]),
    st.binary(min_size=8, max_size=8).map(lambda raw: struct.unpack("d", raw)[0]),
)
_integers = st.one_of(
    st.integers(-300, 300),
    st.integers(-(2**200), 2**200),
    st.builds(
        lambda power, offset, sign: sign * (2**power + offset),
        st.integers(5, 200),
        st.integers(-2, 2),
        st.sampled_from([1, -1]),
    ),
)
_decimals = st.one_of(
    st.decimals(),
    st.decimals(places=4, allow_nan=False, allow_infinity=False),
    st.sampled_from(
        [decimal.Decimal(text) for text in ("12.3400", "1E+10", "-0", "0E-7", "NaN123", "-sNaN", "Infinity")]
    ),
)
_times = st.one_of(st.times(), st.just(datetime.time(0, 0)))
_datetimes = st.one_of(st.datetimes(), st.dates().map(lambda day: datetime.datetime.combine(day, datetime.time())))
# What a person would call a value of the json view: tags of its own, written as they come.
_tricky = st.sampled_from(
    [
        {"$int": "5"},
        {"$array": "float64"},
        {"$": 1},
        {"a": 1, "$b": 2},
        {"$dict": []},
        ["$tuple"],
        {"": ""},
        {"$$x": None},
        "nan",
        "inf",
        "NaT",
        "$float",
        {1: "a", "1": "b"},
        {None: None},
        {True: False},
        {(1, "a"): [b""]},
        {b"k": "v"},
        {"é\0\x7f\u2028": "\\'\""},
    ]
)

_hashable_scalars = st.one_of(
    st.none(),
    st.booleans(),
    _integers,
    _floats.filter(lambda x: x == x),
    _text,
    st.binary(max_size=20),
    st.dates(),
    _times,
    _datetimes,
    st.uuids(),
    _decimals.filter(lambda number: not number.is_nan()),
    st.sampled_from(["int64", "float32", "uint8"]).flatmap(_number).filter(lambda x: x == x),
)
_hashable = st.recursive(_hashable_scalars, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=4)
_scalars = st.one_of(
    st.none(),
    st.booleans(),
    _integers,
    _floats,
    st.builds(complex, _floats, _floats),
    _text,
    st.binary(max_size=40),
    st.binary(max_size=40).map(bytearray),
    _decimals,
    st.dates(),
    _times,
    _datetimes,
    st.uuids(),
    st.sampled_from(FIXED).flatmap(_number),
    _text.map(np.str_),
    _tricky,
)
_arrays = st.one_of(
    st.sampled_from(FIXED).flatmap(_array),
    st.sampled_from(FIXED).flatmap(_array),
    _structured(),
    _large_array(),
    st.builds(
        lambda shape, letters: np.array(list((letters * 64).encode())[: int(np.prod(shape))], "u1")
        .view("S1")
        .reshape(shape)
        .astype("c"),
        _shapes,
        st.text('ab\0~ "', min_size=1),
    ),
    st.builds(lambda text, shape: np.full(shape, text), _text, _shapes),
    st.lists(st.text("aé✓😀\n", max_size=4), min_size=1, max_size=6).map(np.array),
)


def _containers(inner):
    return st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.dictionaries(st.text('abcé$_ "', max_size=5), inner, max_size=5),
        st.dictionaries(_hashable, inner, max_size=5),
        st.frozensets(_hashable, max_size=5),
        st.sets(_hashable, max_size=5),
        _of_objects(inner),
        _of_objects(inner, MatCell),
        _struct(inner),
    )


_long = st.one_of(
    st.integers(1000, 3000).map(lambda length: "abcé" * length),
    st.integers(990, 1010).map(lambda length: "x" * length),
    st.integers(900, 3000).map(lambda length: np.random.default_rng(length).bytes(length)),
    st.integers(100, 400).map(lambda length: [{"trial": trial, "at": trial / 7} for trial in range(length)]),
)
anything = st.one_of(
    _scalars,
    _arrays,
    _arrays,
    _long,
    st.recursive(st.one_of(_scalars, _arrays), _containers, max_leaves=12),
    _containers(st.one_of(_scalars, _arrays)),
)
