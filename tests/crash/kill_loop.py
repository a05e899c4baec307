#!/usr/bin/env python3
"""Kills a writer again and again, and checks after each kill that nothing acknowledged is lost.

    kill_loop.py --varve PATH --programs DIR [--kills N] [--seed S] [--work DIR]

Feeds `varve write --acks` (and now and then `merge` and `flush`) with random operations in random batches and sync
modes, and sends SIGKILL at a random moment: while it recovers, writes, flushes, publishes or merges. So it does with
backups, drops and readers (backups.py) and with bulk loads (imports.py). Then, on the same directory: `verify` finds no
damage; the records are those of the model after some whole batches, all the acknowledged ones among them; those that
have expired are gone (lifetimes.py); get, count and exact search agree; sequences of lost writes are not given again;
and a reader that was there before the kill (readers.py) sees the same. Then it goes on with the next writer. A new
directory, with another schema, is begun every 40 to 60 kills.

N: VARVE_TEST_KILLS or 25. On failure the directory is kept, and one line says how to run the same seed again (the moments
of the kills differ from run to run, so that it may take several)."""

import argparse
import collections
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from backups import BackupKills
from directory import Directory
from failure import Failure
from imports import ImportKills
from lifetimes import Window, now_ms
from operations import Generator, Operation, batches
from readers import KeptReader
from tool import COMMAND_TIMEOUT_S, Acks, Varve

# So many records come from bulk loads; checks are quicker without them.
MANY_RECORDS = 5000


class KillLoop:
    def __init__(self, varve, programs, rng, work, kills):
        self.programs, self.reader = programs, None  # of this folder
        self.varve, self.rng, self.work, self.kills_wanted = varve, rng, work, kills
        self.directory, self.directories = None, 0
        self.counts = collections.Counter()
        self.backups, self.imports = BackupKills(self), ImportKills(self)

    def run(self):
        while self.counts["kills"] < self.kills_wanted:
            if self.directory is None or self.directory.kills >= self.directory.kills_allowed:
                self.begin_directory()
            chance = self.rng.random()
            if chance < 0.12:
                self.kill_maintenance()
            elif chance < 0.24:
                self.backups.kill_one()
            elif chance < 0.40:
                self.imports.kill_one()
            else:
                self.kill_writer()
            self.reader.check(self.directory)
        self.reader.close()

    def begin_directory(self):
        if self.directory is not None:
            self.reader.close()
            shutil.rmtree(self.directory.path)
        self.directories += 1
        self.directory = Directory(self.varve, os.path.join(self.work, f"collection{self.directories}"), self.rng)
        self.reader = KeptReader(self.program("kept_reader", self.directory.path), self.directory, self.rng, self.counts)

    def program(self, name, *arguments):
        return [os.path.join(self.programs, name), *arguments]

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

    def kill_writer(self, first=()):
        """`first`: operations before the random ones."""
        rng, directory = self.rng, self.directory
        generator = Generator(rng, directory.dimension, rng.choice((5, 40, 300)), rng.choice((0, 0.02, 0.2)),
                              rng.choice((0, 0, 0.2)))
        if len(directory.model) > MANY_RECORDS and rng.random() < 0.3:
            first = [Operation("delete_namespace")]
        operations = generator.operations(directory.model, rng.choice((20, 200, 1000)), first)
        size = rng.choice((1, 1, 2, 7, 50))
        sync = rng.choice(("per_op", "per_op", "every:3", "interval:2", "on_flush"))
        command = [self.varve.path, "write", directory.path, "--acks", "--batch", str(size), "--sync", sync,
                   "--memory", "2MB", "--threads", "2"]
        self.kill_process(command, operations, batches(operations, size))

    def kill_process(self, command, operations, grouped):
        """`command` carries out and acknowledges the operations."""
        rng, directory, began = self.rng, self.directory, now_ms()
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        acks = Acks(process.stdout)
        feeder = threading.Thread(target=self.feed, args=(process.stdin, operations), daemon=True)
        feeder.start()
        try:
            count, seconds = self.moment()
            acks.wait_for(count, COMMAND_TIMEOUT_S)
            if rng.random() < 0.1:
                self.scan_beside(grouped, acks.wait_for(0, 0), began)
            if rng.random() < 0.2:
                self.reader.check_beside(directory, grouped, acks.wait_for(0, 0), began)
            if rng.random() < 0.1:
                self.backups.back_up_beside(grouped, acks, began)
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
        self.settle(grouped, len(acks.lines), began)

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
        elif acknowledged < len(operations) and operations[acknowledged - 1].loads:
            self.counts["kills behind an acknowledged row of a bulk load"] += 1
        elif acknowledged < len(operations) and operations[acknowledged].publishes:
            self.counts["kills in a flush or checkpoint"] += 1

    def settle(self, grouped, acknowledged, began):
        applied = self.directory.check(grouped, acknowledged, began)
        if applied > 0 and sum(len(group) for group in grouped[: applied - 1]) >= acknowledged:
            self.counts["unacknowledged batches kept"] += 1
        if self.rng.random() < 0.2:
            # Recovery without a kill changes nothing, and leaves a store that is as good.
            self.varve.run("write", self.directory.path, input_text=b"")
            self.directory.check()

    def scan_beside(self, grouped, acknowledged, began):
        """A reader beside the writer sees whole batches, and all that were acknowledged before. How many it saw."""
        seen = 0
        try:
            stored, _ = self.varve.scan(self.directory.path)
            seen = self.directory.matching_prefix(stored, grouped, acknowledged, Window(began))
            self.counts["scans beside a writer"] += 1
        except Failure as failure:
            if "UNAVAILABLE" not in str(failure):
                raise
            self.counts["openings given up beside a writer"] += 1
        if not self.directory.verify(beside_writer=True):
            self.counts["verifications given up beside a writer"] += 1
        return seen

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
        directory.check()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--varve", required=True, help="the command")
    parser.add_argument("--programs", required=True, help="where kept_reader and loading_writer are")
    parser.add_argument("--kills", type=int, default=int(os.environ.get("VARVE_TEST_KILLS", "25")))
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--work", default=None, help="where the collections are made (default: a temporary directory)")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"kill loop: {arguments.kills} kills, seed {seed}", flush=True)
    work = tempfile.mkdtemp(prefix="varve-kill-", dir=arguments.work)
    loop = KillLoop(Varve(os.path.abspath(arguments.varve)), os.path.abspath(arguments.programs), random.Random(seed),
                    work, arguments.kills)
    failed = 0
    try:
        loop.run()
        shutil.rmtree(work)
    except (Failure, subprocess.TimeoutExpired) as failure:
        failed = 1
        print(f"FAILED at kill {loop.counts['kills']} in {loop.directory}: {failure}")
        print(f"reproduce: python3 {sys.argv[0]} --varve {arguments.varve} --programs {arguments.programs} "
              f"--kills {arguments.kills} --seed {seed}")
    for name, count in sorted(loop.counts.items()):
        print(f"{name}: {count}")
    print(f"{loop.counts['kills'] - failed} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(main())
