"""Kills of what makes, brings back and removes whole copies, and of readers.

After a kill a backup is not there or whole: it verifies without damage, and holds the state that its collection had. So is
what it was made of. The first opening of a copy for writing, which gives it a name of its own, is killed too. A collection
that is being dropped is whole or gone. A reader leaves the directory as it was."""

import os
import shutil
import subprocess
import time

from failure import Failure
from lifetimes import Window, alive, now_ms
from tool import parse_scan


def fingerprint(directory):
    """Names, sizes and times of all files."""
    found = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            status = os.stat(path)
            found[path] = (status.st_size, status.st_mtime_ns, status.st_ino)
    return found


class BackupKills:
    """`loop` is the kill loop: its command, its chance, its counts, and its directory at the time of a call."""

    def __init__(self, loop):
        self.loop, self.made = loop, 0

    def place(self, name):
        self.made += 1
        return os.path.join(self.loop.work, f"{name}{self.made}")

    def kill_one(self):
        self.loop.rng.choice((self.kill_backup, self.kill_backup, self.kill_drop, self.kill_reader))()

    def killed(self, *arguments):
        """Runs a command and kills it at a random moment. Whether it was done before."""
        process = subprocess.Popen([self.loop.varve.path, *arguments], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(self.loop.rng.uniform(0, 3 * self.loop.directory.startup_s))
        process.kill()
        status = process.wait()
        complaint = process.stderr.read().decode()
        if status not in (0, -9):
            raise Failure(f"varve {' '.join(arguments)} ended with {status}: {complaint}")
        if self.loop.count_kill(status):
            self.loop.counts[f"kills in a {arguments[0]} command"] += 1
        return status == 0

    def check_copy(self, path):
        """A copy of an idle directory holds what that one does, and has not a file too many."""
        report = self.loop.varve.json("verify", path)
        if not report["ok"] or report["warnings"]:
            raise Failure(f"verify of the copy {path}: {report}")
        self.check_records(path)

    def check_records(self, path):
        self.compare_records(self.loop.varve.scan(path)[0], path)

    def compare_records(self, stored, path):
        """But for those that have expired meanwhile."""
        moment = now_ms()
        if alive(stored, moment) != alive(self.loop.directory.model, moment):
            raise Failure(f"{path} holds other records than {self.loop.directory.path}")

    def kill_backup(self):
        rng, source = self.loop.rng, self.loop.directory.path
        to = self.place("backup")
        done = self.killed("backup", source, to)
        if os.path.exists(to):
            self.check_copy(to)
            self.loop.counts["backups that were whole after a kill"] += not done
        elif done:
            raise Failure(f"backup ended without {to}")
        else:
            # What is left is no hindrance.
            self.loop.varve.run("backup", source, to)
            self.check_copy(to)
        if os.path.exists(to + ".tmp"):
            raise Failure(f"{to}.tmp was left")
        if rng.random() < 0.5:
            restored = self.place("restored")
            if not self.killed("restore", to, restored) and not os.path.exists(restored):
                self.loop.varve.run("restore", to, restored)
            self.check_copy(restored)
            shutil.rmtree(restored)
        # Nobody has written to the copy yet: its first writer makes it a collection of its own.
        self.killed("write", to)
        self.check_records(to)
        self.loop.varve.run("write", to, input_text=b'{"op":"checkpoint"}\n')
        self.check_copy(to)
        self.loop.directory.check()
        shutil.rmtree(to)

    def back_up_beside(self, grouped, acks, began):
        """A backup beside a writer holds whole batches, and all that were acknowledged before it began."""
        before = acks.wait_for(0, 0)
        to = self.place("beside")
        try:
            self.loop.varve.run("backup", self.loop.directory.path, to)
        except Failure as failure:
            if "UNAVAILABLE" not in str(failure):
                raise
            self.loop.counts["backups given up beside a writer"] += 1
            return
        stored, _ = self.loop.varve.scan(to)
        self.loop.directory.matching_prefix(stored, grouped, before, Window(began))
        report = self.loop.varve.json("verify", to)
        if not report["ok"] or report["warnings"]:
            raise Failure(f"verify of the backup {to}: {report}")
        self.loop.counts["backups beside a writer"] += 1
        shutil.rmtree(to)

    def kill_drop(self):
        varve, database = self.loop.varve, self.place("database")
        varve.run("backup", self.loop.directory.path, os.path.join(database, "a"))
        varve.run("backup", self.loop.directory.path, os.path.join(database, "b"))
        done = self.killed("drop", database, "a")
        names = varve.json("list", database)["collections"]
        if names not in (["b"], ["a", "b"]) or (done and "a" in names):
            raise Failure(f"{database} holds {names} after a drop that was {'done' if done else 'killed'}")
        for name in names:
            self.check_copy(os.path.join(database, name))
        for name in names:
            varve.run("drop", database, name)
        if sorted(os.listdir(database)) != ["DATABASE", "LOCK"]:
            raise Failure(f"{database} still holds {os.listdir(database)}")
        self.loop.counts["drops"] += 1
        shutil.rmtree(database)

    def kill_reader(self):
        source = self.loop.directory.path
        before, asked = fingerprint(source), now_ms()
        exported = self.place("export") + ".jsonl"
        command = self.loop.rng.choice((("scan", source), ("verify", source, "--deep"), ("info", source),
                                        ("export", source, exported)))
        done = self.killed(*command)
        if fingerprint(source) != before:
            raise Failure(f"a reader has changed {source}")
        if os.path.exists(exported):
            with open(exported, "rb") as file:
                stored, _ = parse_scan(file, asked)
            self.compare_records(stored, exported)
        elif done and command[0] == "export":
            raise Failure(f"an export ended without {exported}")
        self.loop.directory.check()
