"""A reader that stays open while writers are killed and their collection is recovered."""

import subprocess

from failure import Failure
from lifetimes import Window, alive, now_ms
from tool import parse_scan


class KeptReader:
    """`command` runs kept_reader.cc on the directory. Once it has refreshed it sees what a new reader does, until
    then what it saw before, but for what expires. Through its snapshot it always sees the same: that stops the clock."""

    def __init__(self, command, directory, rng, counts):
        self.rng, self.counts = rng, counts
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.state = {}  # of a new directory
        self.held, self.held_at = None, 0
        self.expect(self.state)

    def close(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise Failure(f"the kept reader ended with {self.process.returncode}")

    def ask(self, command):
        """The lines of the answer; none if the reader was told to try again."""
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.startswith(b"{"):
                lines.append(line)
            elif line == b"OK\n":
                return lines
            elif line.startswith(b"UNAVAILABLE"):
                return None
            else:
                raise Failure(f"the kept reader's {command}: {line.decode()}")
        raise Failure(f"the kept reader ended with {self.process.wait()}")

    def scan(self):
        asked = now_ms()
        return parse_scan(self.ask("scan"), asked)[0]

    def scan_held(self):
        return parse_scan(self.ask("scan_held"), self.held_at)

    def expect(self, expected):
        self.compare("reader", self.scan(), expected)

    @staticmethod
    def compare(who, stored, expected):
        moment = now_ms()
        if alive(stored, moment) != alive(expected, moment):
            raise Failure(f"the kept {who} sees {len(stored)} records, not the {len(expected)} that there were")

    def hold(self, expected):
        self.held_at = now_ms()
        self.ask("hold")
        self.held = self.scan_held()
        self.compare("snapshot", self.held[0], expected)

    def check(self, directory):
        """After a kill; the directory's model is that of its last check."""
        if self.rng.random() < 0.5:
            return  # the longer ago the last refresh, the more has been removed
        self.expect(self.state)
        if self.held is not None and self.scan_held() != self.held:
            raise Failure("the kept snapshot is not what it was")
        if self.ask("refresh") is None:
            raise Failure("the kept reader finds no time to refresh, though there is no writer")
        self.state = directory.model
        self.expect(self.state)
        self.counts["refreshes after a kill"] += 1
        if self.held is None or self.rng.random() < 0.3:
            self.hold(self.state)

    def check_beside(self, directory, grouped, acknowledged, began):
        """Refreshed beside a writer it sees whole batches, and those acknowledged before. How many it sees."""
        if self.ask("refresh") is None:
            self.counts["refreshes given up beside a writer"] += 1
            return 0
        self.state = self.scan()
        self.counts["refreshes beside a writer"] += 1
        return directory.matching_prefix(self.state, grouped, acknowledged, Window(began))
