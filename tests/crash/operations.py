"""Random operations for `varve write`, and the model of what a collection holds after them."""

import base64
import json

from lifetimes import TTLS, Ttl, is_fleeting

# Vectors have whole components in this range, so that sums of products are exact in a float and distances can be
# compared for equality.
LARGEST_COMPONENT = 8
NAMESPACES = (b"", b"n", b"\xff\x00")
SPECIAL_KEYS = (b"a\"b", b"x\ny", "\u043a\u043b\u044e\u0447".encode(), b"\xff\x00\x01", b" ", b"-x")


def bytes_member(name, value):
    """A key or namespace as JSON lines have it: as text, or in base64 if it is none."""
    try:
        return {name: value.decode("utf-8")}
    except UnicodeDecodeError:
        return {name + "_base64": base64.b64encode(value).decode()}


def member_bytes(record, name):
    """The reverse."""
    if name + "_base64" in record:
        return base64.b64decode(record[name + "_base64"])
    return record.get(name, "").encode("utf-8")


class Operation:
    """One line of input: how it is written, how it is acknowledged, and what it does to the model."""

    def __init__(self, kind, ns=b"", key=b"", vector=None, metadata=None, patch=None, below=None, ttl=None):
        """`ttl`: of an update, "clear" is one too."""
        self.kind, self.ns, self.key, self.below = kind, ns, key, below
        self.vector, self.metadata, self.patch, self.ttl = vector, metadata, patch, ttl

    @property
    def stands_alone(self):
        """Whether it ends the batch before it and is none of the next."""
        return self.kind in ("flush", "checkpoint", "finish", "delete_namespace", "delete_where")

    @property
    def publishes(self):
        return self.kind in ("flush", "checkpoint")

    @property
    def loads(self):
        """Whether it is for loading_writer, as "finish" is."""
        return self.kind == "load"

    def line(self):
        if self.kind == "finish":
            return "finish\n"
        members = {"op": "put" if self.loads else self.kind}
        if self.kind in ("delete_namespace", "delete_where"):
            members.update(bytes_member("namespace", self.ns))
            if self.below is not None:
                members["filter"] = f"n < {self.below}"
        elif not self.publishes:
            members.update(bytes_member("key", self.key))
            if self.ns:
                members.update(bytes_member("namespace", self.ns))
        for name, value in (("vector", self.vector), ("metadata", self.metadata), ("patch", self.patch)):
            if value is not None:
                members[name] = value
        if self.ttl is not None:
            members["ttl_seconds"] = None if self.ttl == "clear" else self.ttl
        return ("load " if self.loads else "") + json.dumps(members) + "\n"

    def ack(self):
        if self.stands_alone:
            return "ack"
        text = next(iter(bytes_member("key", self.key).values()))
        return "ack " + (json.dumps(text) if any(ord(c) < 32 or ord(c) == 127 for c in text) else text)

    def apply(self, model):
        """Changes the model: (namespace, key) -> (vector, metadata or None, when it expires as in lifetimes.py)."""
        place = (self.ns, self.key)
        expires = Ttl(self.ttl) if isinstance(self.ttl, int) else None
        if self.kind in ("put", "insert", "load"):
            model[place] = (tuple(map(float, self.vector)), self.metadata, expires)
        elif self.kind == "update":
            vector, metadata, old_expires = model[place]
            if self.vector is not None:
                vector = tuple(map(float, self.vector))
            if self.metadata is not None:
                metadata = self.metadata
            elif self.patch is not None:
                metadata = {**(metadata or {}), **self.patch}
            model[place] = (vector, metadata, old_expires if self.ttl is None else expires)
        elif self.kind == "delete":
            model.pop(place, None)
        elif self.kind == "delete_namespace":
            for old in [old for old in model if old[0] == self.ns]:
                del model[old]
        elif self.kind == "delete_where":  # of so few records that they are one batch
            for old in [old for old, (_, metadata, _) in model.items()
                        if old[0] == self.ns and (metadata or {}).get("n", self.below) < self.below]:
                del model[old]


class Generator:
    """Makes operations that succeed: inserts of absent keys, updates of those that stay."""

    def __init__(self, random, dimension, keys, publish_chance, ttl_chance=0):
        self.random, self.dimension = random, dimension
        self.publish_chance, self.ttl_chance = publish_chance, ttl_chance
        self.keys = [b"k%d" % i for i in range(keys)] + list(SPECIAL_KEYS)

    def vector(self):
        return self.random.choices(range(-LARGEST_COMPONENT, LARGEST_COMPONENT + 1), k=self.dimension)

    def metadata(self):
        if self.random.random() < 0.3:
            return None
        return {"n": self.random.randint(0, 1000), "s": "x" * self.random.choice((0, 1, 30, 300))}

    def ttl(self):
        return self.random.choice(TTLS) if self.random.random() < self.ttl_chance else None

    def operations(self, model, count, first=()):
        """`first` and then `count` operations, from the model's state on. Does not change the model."""
        state = dict(model)
        made = list(first)
        for operation in made:
            operation.apply(state)
        for _ in range(count):
            operation = self.one(state)
            operation.apply(state)
            made.append(operation)
        return made

    def load(self, state, count):
        """A bulk load of `count` records, changes the state."""
        ns, keys = self.random.choice(NAMESPACES), self.random.choices(self.keys, k=count)
        made = [Operation("load", ns, key, self.vector(), ttl=self.ttl()) for key in keys]
        for operation in made:
            operation.apply(state)
        return [*made, Operation("finish")]

    def one(self, state):
        random = self.random
        if random.random() < self.publish_chance:
            return Operation(random.choice(("flush", "flush", "checkpoint")))
        if random.random() < 0.004:
            return Operation("delete_namespace", ns=random.choice(NAMESPACES))
        if random.random() < 0.01:
            return Operation("delete_where", ns=random.choice(NAMESPACES), below=random.randint(0, 600))
        place = (random.choices(NAMESPACES, (6, 2, 1))[0], random.choice(self.keys))
        present = place in state
        kind = random.choices(("put", "add", "delete"), (5, 4, 2))[0]
        if kind == "delete":
            return Operation("delete", *place)
        if kind == "put" or not present or is_fleeting(state[place][2]):
            kind = "insert" if kind == "add" and not present else "put"
            return Operation(kind, *place, self.vector(), self.metadata(), ttl=self.ttl())
        what = random.choice(("vector", "metadata", "patch", "both"))
        return Operation(
            "update",
            *place,
            vector=self.vector() if what in ("vector", "both") else None,
            metadata={"m": random.randint(0, 9)} if what in ("metadata", "both") else None,
            patch={"p": random.randint(0, 9)} if what == "patch" else None,
            ttl="clear" if random.random() < self.ttl_chance else self.ttl(),
        )


def batches(operations, size, segment_rows=0):
    """The operations as `varve write --batch SIZE` groups them: each list is applied whole or not at all. What is
    loaded is so by the segment."""
    grouped, current = [], []
    for operation in operations:
        if operation.stands_alone:
            if current:
                grouped.append(current)
            grouped.append([operation])
            current = []
            continue
        current.append(operation)
        if len(current) == (segment_rows if operation.loads else size):
            grouped.append(current)
            current = []
    if current:
        grouped.append(current)
    return grouped


def distance(metric, a, b):
    if metric == "l2":
        return float(sum((x - y) ** 2 for x, y in zip(a, b)))
    if metric == "l1":
        return float(sum(abs(x - y) for x, y in zip(a, b)))
    return -float(sum(x * y for x, y in zip(a, b)))


def nearest(model, metric, query, k, ns=None):
    """The exact answer: [(namespace, key, distance)], nearest first, ties by namespace and key."""
    found = [(distance(metric, query, value[0]), *place) for place, value in model.items() if ns in (None, place[0])]
    return [(*place, d) for d, *place in sorted(found)[:k]]
