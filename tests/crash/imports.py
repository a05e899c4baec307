"""Kills of bulk loads, whose records go around the log.

`varve import` of so many rows makes one segment after the other, and acknowledges them all by its end. After a kill the
records of the first segments are there, each segment whole, and no others. (The rows of a segment are sorted by key,
here as text, and those of the file by number: half a segment would not be the first rows.) loading_writer.cc loads less
at a time, between other writes, and says what is durable."""

import os
import struct
import subprocess
import time

from lifetimes import now_ms
from operations import NAMESPACES, Generator, Operation, batches

# The least that is not written through the log, and somewhat more.
ROWS = (10_000, 13_000)
# Memory for at least ten small segments, for three or four, for one large one; and for how many to wait at most.
SIZES = (("4MB", 10), ("4MB", 10), ("64MB", 3), ("256MB", 0))
SEGMENT_SUFFIX = ".vcnt"


def write_matrix(path, rows):
    """As .i8bin."""
    with open(path, "wb") as file:
        file.write(struct.pack("<II", len(rows), len(rows[0])))
        for row in rows:
            file.write(struct.pack(f"<{len(row)}b", *row))


def segments(directory):
    return {name for name in os.listdir(os.path.join(directory, "segments")) if name.endswith(SEGMENT_SUFFIX)}


class ImportKills:
    """`loop` is the kill loop, as for backups.BackupKills."""

    def __init__(self, loop):
        self.loop = loop

    def kill_one(self):
        if self.loop.directory.dimension > 32 or self.loop.rng.random() < 0.5:
            self.kill_loads()
        else:
            self.kill_imports()

    def kill_loads(self):
        """Small ones between other writes; of these it is known from the load itself what is durable."""
        rng, directory = self.loop.rng, self.loop.directory
        generator = Generator(rng, directory.dimension, rng.choice((5, 40, 300)), 0.01, rng.choice((0, 0.2)))
        state, operations = dict(directory.model), []
        for _ in range(rng.choice((5, 20))):
            chosen = generator.operations(state, rng.choice((0, 1, 30)))
            if rng.random() < 0.2:
                chosen.append(Operation("delete_namespace", ns=rng.choice(NAMESPACES)))
            for operation in chosen:
                operation.apply(state)
            operations += [*chosen, *generator.load(state, rng.choice((1, 10, 120)))]
        segment_rows = rng.choice((3, 25, 100))
        self.loop.kill_process(self.loop.program("loading_writer", directory.path, str(segment_rows)), operations,
                               batches(operations, 1, segment_rows))

    def kill_imports(self):
        """With the namespace of the keys deleted in the log before, or afterwards, or neither."""
        delete = [Operation("delete_namespace")]
        chance = self.loop.rng.random()
        if chance < 0.3:
            self.loop.kill_writer(delete)
        self.kill_import()
        if 0.2 < chance < 0.5:
            self.loop.kill_writer(delete)

    def kill_import(self):
        rng, directory = self.loop.rng, self.loop.directory
        # Of the keys that begin with k the log may have some.
        prefix, start = rng.choice((b"k", b"k", b"bulk")), rng.choice((0, 0, 150))
        generator = Generator(rng, directory.dimension, 0, 0)
        rows = [generator.vector() for _ in range(start + rng.randint(*ROWS))]
        path = directory.path + ".i8bin"
        write_matrix(path, rows)
        grouped = [[Operation("load", b"", prefix + b"%d" % number, rows[number])] for number in range(start, len(rows))]
        new = not any((b"", group[0].key) in directory.model for group in grouped)
        memory, most_segments = rng.choice(SIZES)
        began, before = now_ms(), segments(directory.path)
        process = subprocess.Popen(
            [self.loop.varve.path, "import", directory.path, path, "--key-prefix", prefix.decode(),
             "--start", str(start), "--mode", "insert" if new else "put", "--memory", memory, "--threads", "2"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        seen = 0
        try:
            self.wait_for_segments(process, before, rng.randint(0, most_segments))
            beside = rng.random()
            # What a reader sees of a load stays.
            if beside < 0.2:
                seen = self.loop.scan_beside(grouped, 0, began)
            elif beside < 0.4:
                seen = self.loop.reader.check_beside(directory, grouped, 0, began)
            time.sleep(rng.choice((0, rng.expovariate(200), rng.uniform(0, 0.2))))
        finally:
            process.kill()
            status = process.wait()
        self.loop.judge(status, process.stderr.read().decode(), True)
        if self.loop.count_kill(status):
            self.loop.counts["kills in a bulk load"] += 1
        applied = directory.check(grouped, len(grouped) if status == 0 else seen, began)
        if 0 < applied < len(grouped):
            self.loop.counts["bulk loads kept in part"] += 1

    @staticmethod
    def wait_for_segments(process, before, count):
        """Until there have been so many new ones, among them those of flushes and merges."""
        new = set()
        while process.poll() is None and len(new) < count:
            new |= segments(process.args[2]) - before
            time.sleep(0.001)
