"""What the tests of the command share: a directory per test, ways to run `varve`, and writers of data files."""

import json
import os
import random
import shutil
import struct
import subprocess
import tempfile
import unittest

VARVE = os.environ.get("VARVE", "varve")
TIMEOUT_S = 120


class VarveTest(unittest.TestCase):
    """Each test has an empty directory, removed with what it holds."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="varve-cli-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def store(self, *options):
        """A new collection of three dimensions, unless the options say otherwise."""
        path = self.path("store")
        self.varve("create", path, *(options or ("--dim", "3")))
        return path

    def run_varve(self, *arguments, stdin=b""):
        if isinstance(stdin, str):
            stdin = stdin.encode()
        return subprocess.run([VARVE, *map(os.fsencode, map(str, arguments))], input=stdin, capture_output=True,
                              timeout=TIMEOUT_S)

    def varve(self, *arguments, stdin=b""):
        """Runs a command that must succeed; gives its standard output."""
        result = self.run_varve(*arguments, stdin=stdin)
        self.assertEqual(result.returncode, 0, f"varve {arguments}: {result.stderr.decode()}")
        return result.stdout.decode()

    def json(self, *arguments, stdin=b""):
        """The one document that a command prints with --json."""
        return json.loads(self.varve(*arguments, "--json", stdin=stdin))

    def assert_fails(self, status, arguments, *parts, stdin=b""):
        """The command must exit with 1 and one line of the contract's form that holds all of `parts`."""
        result = self.run_varve(*arguments, stdin=stdin)
        message = result.stderr.decode()
        self.assertEqual(result.returncode, 1, f"varve {arguments}: {message}{result.stdout.decode()}")
        self.assertTrue(message.startswith(f"varve: {status}: "), message)
        self.assertEqual(message.count("\n"), 1, message)
        for part in parts:
            self.assertIn(part, message)
        return result

    def assert_usage(self, *arguments):
        """The command line must be refused before anything is tried."""
        result = self.run_varve(*arguments)
        self.assertEqual(result.returncode, 2, f"varve {arguments}: {result.stderr.decode()}")
        self.assertTrue(result.stderr.decode().startswith("varve: usage: "), result.stderr.decode())
        self.assertEqual(result.stdout, b"")

    def write(self, store, operations, *options):
        """Carries out operations given as dictionaries."""
        return self.varve("write", store, *options, stdin="".join(json.dumps(line) + "\n" for line in operations))

    def scan(self, store, *options):
        return [json.loads(line) for line in self.varve("scan", store, *options).splitlines()]

    def keys(self, store, *options):
        return [record["key"] for record in self.scan(store, "--keys-only", *options)]

    def count(self, store):
        return self.json("count", store)["rows"]

    def file(self, name, contents):
        path = self.path(name)
        with open(path, "wb") as file:
            file.write(contents)
        return path


def random_vectors(count, dimension, seed, low=-100, high=100):
    """Whole numbers, so that every distance is exact and ties are ties."""
    generator = random.Random(seed)
    return [[generator.randint(low, high) for _ in range(dimension)] for _ in range(count)]


def vecs(rows, code):
    """.fvecs ("f"), .bvecs ("B") or .ivecs ("i")."""
    return b"".join(struct.pack(f"<i{len(row)}{code}", len(row), *row) for row in rows)


def matrix(rows, code, dimension=None):
    """.fbin ("f"), .u8bin ("B") or .i8bin ("b")."""
    dimension = len(rows[0]) if dimension is None else dimension
    return struct.pack("<II", len(rows), dimension) + b"".join(struct.pack(f"<{len(row)}{code}", *row) for row in rows)


def npy(rows, code, descr):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({len(rows)}, {len(rows[0])}), }}"
    header = header.ljust(117) + "\n"
    return (b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
            b"".join(struct.pack(f"<{len(row)}{code}", *row) for row in rows))


def read_ivecs(path):
    with open(path, "rb") as file:
        contents = file.read()
    rows = []
    offset = 0
    while offset < len(contents):
        (count,) = struct.unpack_from("<i", contents, offset)
        rows.append(list(struct.unpack_from(f"<{count}i", contents, offset + 4)))
        offset += 4 + 4 * count
    return rows


def l2(a, b):
    return sum((x - y) ** 2 for x, y in zip(a, b))


def nearest(base, query, k):
    """Row numbers of the k nearest, equal distances ordered by number."""
    return sorted(range(len(base)), key=lambda row: (l2(base[row], query), row))[:k]


def ground_truth(base, queries, k):
    return vecs([nearest(base, query, k) for query in queries], "i")
