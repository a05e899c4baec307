"""A collection that is killed over and over, and what it must hold after each kill."""

import itertools
import json
import time

from failure import Failure
from lifetimes import Window, alive, now_ms
from operations import bytes_member, member_bytes, nearest


class Directory:
    """A collection that is killed over and over, and what is known of it."""

    def __init__(self, varve, path, rng):
        self.varve, self.path, self.rng = varve, path, rng
        self.metric = rng.choice(("l2", "l2", "ip", "l1"))
        self.index = rng.choice(("auto", "hnsw", "flat"))
        self.dimension = rng.choice((3, 4, 32, 200))
        self.model, self.sequences = {}, {}
        self.loads = set()  # sequences that the rows of a bulk load share
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

    def check(self, grouped=(), acknowledged=0, began=None):
        """Compares what is stored with the model after each possible prefix of the batches, which were written since
        `began`; takes the one that fits."""
        self.verify()
        stored, sequences = self.varve.scan(self.path)
        window = Window(now_ms() if began is None else began)
        applied = self.matching_prefix(stored, grouped, acknowledged, window)
        self.note_loads(grouped[:applied], sequences)
        self.check_sequences(stored, sequences)
        self.model, self.sequences = window.left(stored), {**self.sequences, **sequences}
        window.wait()
        self.check_reads()
        return applied

    def matching_prefix(self, stored, grouped, acknowledged, window):
        """The number of batches that were applied."""
        stored = window.undated(stored)
        for applied, operations, state in self.states(grouped, window):
            # A batch of which any operation was acknowledged is applied.
            if operations >= acknowledged and state == stored:
                return applied
        raise Failure(self.difference(stored, grouped, acknowledged, window))

    def states(self, grouped, window):
        """The number of batches, that of their operations, and the records left after them; for each prefix."""
        state, operations = window.left(self.model), 0
        yield 0, 0, state
        for applied, group in enumerate(grouped, 1):
            for operation in group:
                operation.apply(state)
                place = (operation.ns, operation.key)
                if place in state and window.gone(state[place]):
                    del state[place]
            operations += len(group)
            yield applied, operations, state

    def difference(self, stored, grouped, acknowledged, window):
        """How the records differ from the nearest allowed state."""
        state = next(state for _, operations, state in self.states(grouped, window) if operations >= acknowledged)
        lines = []
        for place in sorted(set(state) | set(stored)):
            if state.get(place) != stored.get(place):
                lines.append(f"  {place}: {str(stored.get(place))[:100]} instead of {str(state.get(place))[:100]}")
        return (f"after {acknowledged} acknowledged operations no whole number of batches gives what is stored; against "
                f"the acknowledged ones alone:\n" + "\n".join(lines[:10]))

    def note_loads(self, groups, sequences):
        """The rows of a loaded segment share a sequence, and segments enter in the order of the rows."""
        last = {}
        for operation in itertools.chain.from_iterable(groups):
            place = (operation.ns, operation.key)
            last.pop(place, None)
            last[place] = operation
        given = [sequences[place] for place, operation in last.items() if operation.loads and place in sequences]
        if given != sorted(given):
            raise Failure("rows of a bulk load that come later have smaller sequences")
        self.loads.update(given)

    def check_sequences(self, stored, sequences):
        written = [sequence for sequence in sequences.values() if sequence not in self.loads]
        if len(set(written)) != len(written):
            raise Failure("two records have one sequence")
        known = max(self.sequences.values(), default=0)
        for place, sequence in sequences.items():
            if self.model.get(place) == stored[place]:
                continue  # the same record, or written again as it was
            if sequence <= known:
                raise Failure(f"{place} was written with sequence {sequence}, when {known} had been given before")

    def check_reads(self):
        """That all reads agree with the records that are alive; again if one expired meanwhile."""
        while True:
            model = alive(self.model, now_ms())
            try:
                self.compare_reads(model)
                return
            except Failure:
                if len(alive(model, now_ms())) == len(model):
                    raise

    def compare_reads(self, model):
        rng = self.rng
        if self.varve.json("count", self.path)["rows"] != len(model):
            raise Failure("count differs from the number of records")
        once = sorted(self.sequences.keys() - model.keys())  # deleted or expired
        places = [*rng.sample(sorted(model), min(2, len(model))), *rng.sample(once, min(2, len(once)))]
        for place in [*places, (b"n", b"never written")]:
            self.check_get(place, model)
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

    def check_get(self, place, model):
        arguments = ["get", self.path]
        for name, value in bytes_member("key", place[1]).items():
            arguments += ["--key-base64", value] if name == "key_base64" else ["--", value]
        for name, value in bytes_member("namespace", place[0]).items():
            arguments[2:2] = ["--" + name.replace("_", "-"), value]
        done = self.varve.run(*arguments, expected=(0,) if place in model else (1,))
        if place not in model:
            if b"NOT_FOUND" not in done.stderr:
                raise Failure(f"get of the absent {place}: {done.stdout.decode()}{done.stderr.decode()}")
            return
        record = json.loads(done.stdout)
        if (tuple(record["vector"]), record.get("metadata"), record.get("expires_at")) != model[place]:
            raise Failure(f"get of {place} gives {record}")
