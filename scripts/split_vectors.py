#!/usr/bin/env python3
"""Describes a file of vectors, or splits its last rows off as queries (500 of them, or a tenth of a small file).

    split_vectors.py FILE                    prints: rows dimension element-type
    split_vectors.py FILE BASE QUERIES       writes two files of the same format

Knows .fbin, .u8bin and .i8bin (u32 rows, u32 dimension, values) and .fvecs and .bvecs (per row: i32 dimension, values)."""

import os
import struct
import sys

# Extension -> element type, bytes per value, bytes before each row.
FORMATS = {".fbin": ("f32", 4, 0), ".u8bin": ("u8", 1, 0), ".i8bin": ("i8", 1, 0), ".fvecs": ("f32", 4, 4), ".bvecs": ("u8", 1, 4)}


def copy(source, target, length):
    while length > 0:
        piece = source.read(min(length, 1 << 20))
        if not piece:
            sys.exit("split_vectors.py: the file is shorter than its header says")
        target.write(piece)
        length -= len(piece)


def main():
    path = sys.argv[1]
    extension = os.path.splitext(path)[1]
    if extension not in FORMATS:
        sys.exit(f"split_vectors.py: {path}: not one of {', '.join(FORMATS)}")
    element, width, prefix = FORMATS[extension]
    with open(path, "rb") as source:
        size = os.fstat(source.fileno()).st_size
        if size < 8:
            sys.exit(f"split_vectors.py: {path}: too short")
        if prefix:
            (dimension,) = struct.unpack("<i", source.read(4))
            source.seek(0)
            rows = size // (prefix + dimension * width)
        else:
            rows, dimension = struct.unpack("<II", source.read(8))
        if len(sys.argv) == 2:
            print(rows, dimension, element)
            return
        held_out = min(500, max(1, rows // 10))
        for target_path, count in ((sys.argv[2], rows - held_out), (sys.argv[3], held_out)):
            with open(target_path, "wb") as target:
                if not prefix:
                    target.write(struct.pack("<II", count, dimension))
                copy(source, target, count * (prefix + dimension * width))


if __name__ == "__main__":
    main()
