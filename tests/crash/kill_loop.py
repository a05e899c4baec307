#!/usr/bin/env python3
"""Kills a writer again and again, and checks after each kill that nothing acknowledged is lost.

    kill_loop.py --varve PATH [--kills N] [--seed S] [--work DIR]

Feeds `varve write --acks` (and now and then `merge` and `flush`) with random operations in random batches and sync
modes, and sends SIGKILL at a random moment: while it recovers, writes, flushes, publishes or merges. So it does with
backups (kills of backups.py), drops and readers. Then, on the same
directory: `verify` finds no damage; the records are those of the model after some whole batches, all the acknowledged
ones among them; get, count and exact search agree; sequences of lost writes are not given again. Then it goes on with the
next writer. A new directory, with another schema, is begun every 40 to 60 kills.

N: VARVE_TEST_KILLS or 25. On failure the directory is kept, and one line says how to run the same seed again (the moments
of the kills differ from run to run, so that it may take several)."""

import argparse
import collections
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from backups import BackupKills
from failure import Failure
from operations import Generator, batches, bytes_member, member_bytes, nearest

COMMAND_TIMEOUT_S = 120


class Acks:
    """Collects the complete lines of a process's standard output, and lets others wait for them."""

    def __init__(self, stream):
        self.lines, self.changed, self.ended = [], threading.Condition(), False
        self.thread = threading.Thread(target=self.collect, args=(stream,), daemon=True)
        self.thread.start()

    def collect(self, stream):
        for line in stream:
            if not line.endswith(b"\n"):
                break  # cut off by the kill
            with self.changed:
                self.lines.append(line[:-1].decode("utf-8"))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_for(self, count, timeout):
        with self.changed:
            self.changed.wait_for(lambda: self.ended or len(self.lines) >= count, timeout)
            return len(self.lines)


class Varve:
    """The command."""

    def __init__(self, path):
        self.path = path

    def run(self, *arguments, expected=(0,), input_text=None):
        done = subprocess.run([self.path, *arguments], capture_output=True, timeout=COMMAND_TIMEOUT_S,
                              input=input_text, check=False)
        if done.returncode not in expected:
            raise Failure(f"varve {' '.join(map(repr, arguments))} gave {done.returncode}: {done.stderr.decode()}"
                          f"{done.stdout.decode()[:2000]}")
        return done

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json").stdout)

    def scan(self, directory):
        """The model's form of what is stored, and the sequence of each record."""
        model, sequences = {}, {}
        for line in self.run("scan", directory).stdout.splitlines():
            record = json.loads(line)
            place = (member_bytes(record, "namespace"), member_bytes(record, "key"))
            if place in model:
                raise Failure(f"scan gives {place} twice")
            model[place] = (tuple(record["vector"]), record.get("metadata"))
            sequences[place] = record["sequence"]
        if list(model) != sorted(model):
            raise Failure("scan is not in the order of namespace and key")
        return model, sequences


class Directory:
    """A collection that is killed over and over, and what is known of it."""

    def __init__(self, varve, path, rng):
        self.varve, self.path, self.rng = varve, path, rng
        self.metric = rng.choice(("l2", "l2", "ip", "l1"))
        self.index = rng.choice(("auto", "hnsw", "flat"))
        self.dimension = rng.choice((3, 4, 32, 200))
        self.model, self.sequences = {}, {}
        self.kills, self.kills_allowed = 0, rng.randint(40, 60)
        varve.run("create", path, "--dim", str(self.dimension), "--metric", self.metric, "--index", self.index,
                  "--type", rng.choice(("f32", "i8")))
        started = time.monotonic()
        varve.run("count", path)
        self.startup_s = time.monotonic() - started

    def __str__(self):
        return f"{self.path} ({self.metric}, {self.index}, dim {self.dimension}, {len(self.model)} records)"

    def verify(self, beside_writer=False):
        """Whether there was a verdict; a bad one raises."""
        done = self.varve.run("verify", self.path, "--json", "--deep", expected=(0, 1))
        if beside_writer and b"UNAVAILABLE" in done.stderr:
            return False  # the writer publishes faster than the files can be opened: no verdict
        report = json.loads(done.stdout) if done.stdout else {"ok": False, "damage": done.stderr.decode()}
        if not report["ok"]:
            raise Failure(f"verify: {report['damage'][:5]}")
        return True

    def check(self, grouped, acknowledged):
        """Compares what is stored with the model after each possible prefix of the batches; takes the one that fits."""
        self.verify()
        stored, sequences = self.varve.scan(self.path)
        applied = self.matching_prefix(stored, grouped, acknowledged)
        self.check_sequences(stored, sequences)
        self.model, self.sequences = stored, {**self.sequences, **sequences}
        self.check_reads()
        return applied

    def matching_prefix(self, stored, grouped, acknowledged):
        """The number of batches that were applied."""
        state, operations = dict(self.model), 0
        for applied in range(len(grouped) + 1):
            # A batch of which any operation was acknowledged is applied.
            if operations >= acknowledged and state == stored:
                return applied
            if applied < len(grouped):
                for operation in grouped[applied]:
                    operation.apply(state)
                operations += len(grouped[applied])
        raise Failure(self.difference(stored, grouped, acknowledged))

    def difference(self, stored, grouped, acknowledged):
        """How the records differ from the nearest allowed state."""
        state, operations, lines = dict(self.model), 0, []
        for group in grouped:
            if operations >= acknowledged:
                break
            for operation in group:
                operation.apply(state)
            operations += len(group)
        for place in sorted(set(state) | set(stored)):
            if state.get(place) != stored.get(place):
                lines.append(f"  {place}: {str(stored.get(place))[:100]} instead of {str(state.get(place))[:100]}")
        return (f"after {acknowledged} acknowledged operations no whole number of batches gives what is stored; against "
                f"the acknowledged ones alone:\n" + "\n".join(lines[:10]))

    def check_sequences(self, stored, sequences):
        if len(set(sequences.values())) != len(sequences):
            raise Failure("two records have one sequence")
        known = max(self.sequences.values(), default=0)
        for place, sequence in sequences.items():
            if self.model.get(place) == stored[place]:
                continue  # the same record, or written again as it was
            if sequence <= known:
                raise Failure(f"{place} was written with sequence {sequence}, when {known} had been given before")

    def check_reads(self):
        rng, model = self.rng, self.model
        if self.varve.json("count", self.path)["rows"] != len(model):
            raise Failure("count differs from the number of records")
        for place in rng.sample(sorted(model), min(2, len(model))) + [(b"", b"never written"), (b"n", b"k-1")]:
            self.check_get(place)
        queries, lines = [], []
        for _ in range(3):
            query = [rng.randint(-9, 9) for _ in range(self.dimension)]
            k, ns = rng.choice((1, 7, 1000)), rng.choice((None, None, b"n"))
            queries.append((query, k, ns))
            lines.append(json.dumps({"vector": query, "k": k, **({} if ns is None else bytes_member("namespace", ns))}))
        path = self.path + ".queries.jsonl"
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        results = self.varve.json("search", self.path, "--queries", path, "--exact", "--results")["results"]
        for (query, k, ns), hits in zip(queries, results):
            found = [(member_bytes(hit, "namespace"), member_bytes(hit, "key"), hit["distance"]) for hit in hits]
            expected = nearest(model, self.metric, query, k, ns)
            if found != expected:
                raise Failure(f"search of {query[:8]}... k {k} in {ns}: {found[:5]} instead of {expected[:5]}")

    def check_get(self, place):
        arguments = ["get", self.path]
        for name, value in bytes_member("key", place[1]).items():
            arguments += ["--key-base64", value] if name == "key_base64" else ["--", value]
        for name, value in bytes_member("namespace", place[0]).items():
            arguments[2:2] = ["--" + name.replace("_", "-"), value]
        done = self.varve.run(*arguments, expected=(0,) if place in self.model else (1,))
        if place not in self.model:
            if b"NOT_FOUND" not in done.stderr:
                raise Failure(f"get of the absent {place}: {done.stderr.decode()}")
            return
        record = json.loads(done.stdout)
        if (tuple(record["vector"]), record.get("metadata")) != self.model[place]:
            raise Failure(f"get of {place} gives {record}")


class KillLoop:
    def __init__(self, varve, rng, work, kills):
        self.varve, self.rng, self.work, self.kills_wanted = varve, rng, work, kills
        self.directory, self.directories = None, 0
        self.counts = collections.Counter()
        self.backups = BackupKills(self)

    def run(self):
        while self.counts["kills"] < self.kills_wanted:
            if self.directory is None or self.directory.kills >= self.directory.kills_allowed:
                self.begin_directory()
            chance = self.rng.random()
            if chance < 0.12:
                self.kill_maintenance()
            elif chance < 0.24:
                self.backups.kill_one()
            else:
                self.kill_writer()

    def begin_directory(self):
        if self.directory is not None:
            shutil.rmtree(self.directory.path)
        self.directories += 1
        self.directory = Directory(self.varve, os.path.join(self.work, f"collection{self.directories}"), self.rng)

    def moment(self):
        """When to kill: after so many acknowledgements, and so many seconds more."""
        startup = self.directory.startup_s
        kind = self.rng.choice(("recovery", "early", "acks", "acks", "acks", "late"))
        if kind == "recovery":
            return 0, self.rng.uniform(0, 1.5 * startup)
        if kind == "early":
            return 0, self.rng.uniform(0, 4 * startup)
        if kind == "late":
            return self.rng.randint(1, 800), self.rng.uniform(0, 0.05)
        return self.rng.randint(1, 150), self.rng.expovariate(1000)

    def kill_writer(self):
        rng, directory = self.rng, self.directory
        generator = Generator(rng, directory.dimension, rng.choice((5, 40, 300)), rng.choice((0, 0.02, 0.2)))
        operations = generator.operations(directory.model, rng.choice((20, 200, 1000)))
        size = rng.choice((1, 1, 2, 7, 50))
        grouped = batches(operations, size)
        sync = rng.choice(("per_op", "per_op", "every:3", "interval:2", "on_flush"))
        process = subprocess.Popen(
            [self.varve.path, "write", directory.path, "--acks", "--batch", str(size), "--sync", sync, "--memory", "2MB",
             "--threads", "2"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        acks = Acks(process.stdout)
        feeder = threading.Thread(target=self.feed, args=(process.stdin, operations), daemon=True)
        feeder.start()
        try:
            count, seconds = self.moment()
            acks.wait_for(count, COMMAND_TIMEOUT_S)
            if rng.random() < 0.1:
                self.scan_beside(grouped, acks)
            if rng.random() < 0.1:
                self.backups.back_up_beside(grouped, acks)
            time.sleep(seconds)
        finally:
            process.kill()
            status = process.wait()
        feeder.join()
        acks.thread.join()
        complaint = process.stderr.read().decode()
        self.judge(status, complaint, len(acks.lines) == len(operations))
        if acks.lines != [operation.ack() for operation in operations[: len(acks.lines)]]:
            raise Failure(f"acknowledgements are not those of the operations: {acks.lines[-3:]}")
        self.counts["acknowledged"] += len(acks.lines)
        if self.count_kill(status):
            self.count_moment(operations, len(acks.lines))
        self.settle(grouped, len(acks.lines))

    @staticmethod
    def feed(stream, operations):
        try:
            stream.write("".join(operation.line() for operation in operations).encode())
            stream.close()
        except OSError:
            pass  # the reader is gone

    def judge(self, status, complaint, finished):
        """A writer ends by the kill, or by itself when all is done."""
        if status == -9:
            return
        if status != 0 or not finished:
            raise Failure(f"the writer ended with {status}: {complaint}")

    def count_kill(self, status):
        """Whether it was the kill that ended the process."""
        if status != -9:
            self.counts["clean ends"] += 1
            return False
        self.counts["kills"] += 1
        self.directory.kills += 1
        return True

    def count_moment(self, operations, acknowledged):
        if acknowledged == 0:
            self.counts["kills before the first acknowledgement"] += 1
        elif acknowledged < len(operations) and operations[acknowledged].publishes:
            self.counts["kills in a flush or checkpoint"] += 1

    def settle(self, grouped, acknowledged):
        applied = self.directory.check(grouped, acknowledged)
        if applied > 0 and sum(len(group) for group in grouped[: applied - 1]) >= acknowledged:
            self.counts["unacknowledged batches kept"] += 1
        if self.rng.random() < 0.2:
            # Recovery without a kill changes nothing, and leaves a store that is as good.
            self.varve.run("write", self.directory.path, input_text=b"")
            self.directory.check([], 0)

    def scan_beside(self, grouped, acks):
        """A reader beside the writer sees whole batches, and all that were acknowledged before it began."""
        before = acks.wait_for(0, 0)
        try:
            stored, _ = self.varve.scan(self.directory.path)
            self.directory.matching_prefix(stored, grouped, before)
            self.counts["scans beside a writer"] += 1
        except Failure as failure:
            if "UNAVAILABLE" not in str(failure):
                raise
            self.counts["openings given up beside a writer"] += 1
        if not self.directory.verify(beside_writer=True):
            self.counts["verifications given up beside a writer"] += 1

    def kill_maintenance(self):
        directory = self.directory
        arguments = self.rng.choice((["merge"], ["merge", "--full"], ["flush"], ["checkpoint"]))
        process = subprocess.Popen([self.varve.path, arguments[0], directory.path, *arguments[1:]],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(self.rng.uniform(0, 4 * directory.startup_s))
        process.kill()
        status = process.wait()
        self.judge(status, process.stderr.read().decode(), True)
        if self.count_kill(status):
            self.counts[f"kills in a {arguments[0]} command"] += 1
        directory.check([], 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--varve", required=True, help="the command")
    parser.add_argument("--kills", type=int, default=int(os.environ.get("VARVE_TEST_KILLS", "25")))
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--work", default=None, help="where the collections are made (default: a temporary directory)")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"kill loop: {arguments.kills} kills, seed {seed}", flush=True)
    work = tempfile.mkdtemp(prefix="varve-kill-", dir=arguments.work)
    loop = KillLoop(Varve(os.path.abspath(arguments.varve)), random.Random(seed), work, arguments.kills)
    failed = 0
    try:
        loop.run()
        shutil.rmtree(work)
    except (Failure, subprocess.TimeoutExpired) as failure:
        failed = 1
        print(f"FAILED at kill {loop.counts['kills']} in {loop.directory}: {failure}")
        print(f"reproduce: python3 {sys.argv[0]} --varve {arguments.varve} --kills {arguments.kills} --seed {seed}")
    for name, count in sorted(loop.counts.items()):
        print(f"{name}: {count}")
    print(f"{loop.counts['kills'] - failed} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(main())
