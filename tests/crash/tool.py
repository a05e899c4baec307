"""The command, and what processes print."""

import json
import subprocess
import threading

from failure import Failure
from lifetimes import now_ms
from operations import member_bytes

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


def parse_scan(lines, asked):
    """The model's form of the records that a scan begun at `asked` printed, and the sequence of each."""
    model, sequences = {}, {}
    for line in lines:
        record = json.loads(line)
        place = (member_bytes(record, "namespace"), member_bytes(record, "key"))
        if place in model:
            raise Failure(f"scan gives {place} twice")
        model[place] = (tuple(record["vector"]), record.get("metadata"), record.get("expires_at"))
        sequences[place] = record["sequence"]
        if record.get("expires_at", asked + 1) <= asked:
            raise Failure(f"scan gives {place}, which had expired {asked - record['expires_at']} ms before")
    if list(model) != sorted(model):
        raise Failure("scan is not in the order of namespace and key")
    return model, sequences


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
        """See parse_scan."""
        asked = now_ms()
        return parse_scan(self.run("scan", directory).stdout.splitlines(), asked)
