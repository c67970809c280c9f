"""DataJoint 2.3.5 packing and unpacking, for row (i); run by the Python of that version.

It packs a list of small dicts and an array into the files `dicts` and `array` of the folder given, says `ready`, and
obeys the orders of TASKS. Each answers with the seconds that it took and, where it packs, the MD5 of what it made.
"""

import argparse
import hashlib
import json
import pathlib
import sys
import time

import numpy as np
from datajoint.blob import pack, unpack


def main():
    arguments = parse_arguments()
    dicts = [small_dict(number) for number in range(arguments.dicts)]
    array = np.random.default_rng(1).standard_normal(arguments.bytes // 8)
    packed_each = [pack(one) for one in dicts]
    packed_dicts = pack(dicts, compress=False)
    packed_array = pack(array, compress=False)
    (arguments.folder / "dicts").write_bytes(packed_dicts)
    (arguments.folder / "array").write_bytes(packed_array)

    def unpack_each():
        for packed in packed_each:
            unpack(packed)

    def pack_array():
        packed = pack(array, compress=False)
        hashlib.md5(packed).digest()
        return packed

    def unpack_array():
        hashlib.md5(packed_array).digest()
        unpack(packed_array).sum()

    tasks = {
        "pack each": lambda: [pack(one) for one in dicts],
        "unpack each": unpack_each,
        "pack list": lambda: pack(dicts, compress=False),
        "unpack list": lambda: unpack(packed_dicts),
        "pack array": pack_array,
        "unpack array": unpack_array,
    }
    print("ready", flush=True)
    for order in map(str.strip, sys.stdin):
        begin = time.perf_counter()
        made = tasks[order]()
        answer = {"seconds": time.perf_counter() - begin}
        if order.startswith("pack "):
            made = b"".join(made) if isinstance(made, list) else made
            answer["md5"] = hashlib.md5(made).hexdigest()
        del made
        print(json.dumps(answer), flush=True)


def small_dict(number):
    return {
        "trial": number,
        "stimulus": f"grating {number % 16}",
        "contrast": number / 7,
        "correct": number % 3 == 0,
        "licks": [number, number + 1, number + 2],
        "comment": None,
    }


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--dicts", required=True, type=int)
    parser.add_argument("--bytes", required=True, type=int)
    return parser.parse_args()


main()
