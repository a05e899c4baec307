"""varve backup, restore, export, list and drop."""

import json
import os
import struct

from harness import VarveTest, npy, random_vectors, vecs


class BackupTest(VarveTest):
    def filled(self):
        store = self.store()
        self.varve("import", store, self.file("a.fvecs", vecs(random_vectors(20, 3, seed=1), "f")))
        self.varve("flush", store)
        self.write(store, [{"op": "put", "key": "new", "vector": [1, 2, 3]}, {"op": "delete", "key": "7"}])
        return store

    def test_backup_and_restore_give_the_same_records(self):
        store = self.filled()
        before = self.scan(store)

        document = self.json("backup", store, self.path("backups/one"))
        self.varve("restore", self.path("backups/one"), self.path("restored"))

        self.assertGreaterEqual(document["files_linked"], 1)
        for copy in ("backups/one", "restored"):
            self.assertEqual(self.scan(self.path(copy)), before)
            self.assertEqual(self.json("verify", self.path(copy))["warnings"], [])
        self.assertEqual(os.stat(self.path("restored/segments/" + os.listdir(self.path("restored/segments"))[0])).st_nlink, 1)

    def test_a_copy_takes_writes_without_touching_the_other(self):
        store = self.filled()
        self.varve("backup", store, self.path("copy"))

        self.write(self.path("copy"), [{"op": "delete", "key": "1"}])
        self.varve("merge", store, "--full")

        self.assertEqual(self.count(self.path("copy")), 19)
        self.assertEqual(self.count(store), 20)
        for directory in (store, self.path("copy")):
            self.assertTrue(self.json("verify", directory)["ok"])

    def test_backup_refuses_a_place_that_is_taken(self):
        store = self.filled()
        self.varve("backup", store, self.path("one"))

        self.assert_fails("ALREADY_EXISTS", ("backup", store, self.path("one")), "not empty")
        self.assert_fails("ALREADY_EXISTS", ("restore", self.path("one"), store), "not empty")
        self.assert_fails("NOT_FOUND", ("backup", self.path("none"), self.path("two")), "none")
        self.assert_fails("NOT_FOUND", ("restore", self.path("none"), self.path("two")), "none")
        self.assertFalse(os.path.exists(self.path("two.tmp")))

    def test_restore_refuses_damage(self):
        store = self.filled()
        self.varve("backup", store, self.path("one"))
        self.varve("restore", self.path("one"), self.path("two"))
        segment = self.path("two/segments/" + sorted(os.listdir(self.path("two/segments")))[0])
        with open(segment, "r+b") as file:
            file.seek(200)
            byte = file.read(1)
            file.seek(200)
            file.write(bytes([byte[0] ^ 1]))

        self.assert_fails("DATA_LOSS", ("restore", self.path("two"), self.path("three")), "nothing was restored")
        self.assertFalse(os.path.exists(self.path("three")))


class ExportTest(VarveTest):
    def test_lines_come_back_as_they_went(self):
        store = self.store()
        self.write(store, [{"op": "put", "key": f"k{n}", "namespace": "n" if n % 2 else "", "vector": [n, 0.5, -n],
                            "metadata": {"n": n}, **({"ttl_seconds": 10 ** 6} if n == 3 else {})} for n in range(9)])
        self.write(store, [{"op": "put", "key_base64": "/wA=", "vector": [1, 2, 3], "payload_base64": "AAE="}])
        before = self.scan(store)

        self.assertEqual(self.json("export", store, self.path("all.jsonl"))["rows"], 10)
        self.varve("create", self.path("other"), "--dim", "3")
        self.assertEqual(self.json("import", self.path("other"), self.path("all.jsonl"))["rows"], 10)

        kept = ("key", "key_base64", "namespace", "vector", "metadata", "payload_base64")
        after = self.scan(self.path("other"))
        self.assertEqual([{k: r[k] for k in kept if k in r} for r in after], [{k: r[k] for k in kept if k in r} for r in before])
        for old, new in zip(before, after):
            self.assertEqual("expires_at" in old, "expires_at" in new)
            self.assertAlmostEqual(old.get("expires_at", 0), new.get("expires_at", 0), delta=60_000)
        with open(self.path("all.jsonl"), encoding="utf-8") as file:
            self.assertEqual([json.loads(line) for line in file], before)

    def test_matrices_hold_the_vectors_in_key_order(self):
        rows = random_vectors(12, 3, seed=2)
        store = self.store()
        self.varve("import", store, self.file("a.fvecs", vecs(rows, "f")))
        in_order = [rows[int(key)] for key in self.keys(store)]

        for name in ("b.fvecs", "b.npy"):
            self.assertEqual(self.json("export", store, self.path(name))["rows"], 12)

        with open(self.path("b.fvecs"), "rb") as file:
            self.assertEqual(file.read(), vecs(in_order, "f"))
        with open(self.path("b.npy"), "rb") as file:
            contents = file.read()
        self.assertEqual(contents[128:], npy(in_order, "f", "<f4")[-12 * 3 * 4:])
        self.assertIn(b"(12, 3)", contents[:128])
        self.varve("create", self.path("again"), "--dim", "3", "--type", "i8")
        self.assertEqual(self.json("import", self.path("again"), self.path("b.npy"))["rows"], 12)

    def test_fields_and_rows_without_a_vector(self):
        schema = {"fields": [{"name": "a", "dimension": 1}, {"name": "b", "dimension": 2}]}
        self.varve("create", self.path("s"), "--schema", self.file("schema.json", json.dumps(schema).encode()))
        self.write(self.path("s"), [{"op": "put", "key": "x", "vectors": {"a": [1], "b": [2, 3]}},
                                    {"op": "put", "key": "y", "vectors": {"a": [4]}}])

        document = self.json("export", self.path("s"), self.path("b"), "--format", "fvecs", "--field", "b")

        self.assertEqual((document["rows"], document["rows_without_vector"]), (1, 1))
        with open(self.path("b"), "rb") as file:
            self.assertEqual(file.read(), struct.pack("<iff", 2, 2, 3))
        self.assert_fails("INVALID_ARGUMENT", ("export", self.path("s"), self.path("b.npy"), "--field", "c"), '"c"')
        self.assert_fails("INVALID_ARGUMENT", ("export", self.path("s"), self.path("b.txt")), "--format")
        self.assert_fails("INVALID_ARGUMENT", ("export", self.path("s"), self.path("b.jsonl"), "--field", "a"), "--field")
        self.assertFalse(os.path.exists(self.path("b.npy")) or os.path.exists(self.path("b.npy.tmp")))

    def test_an_empty_collection_gives_empty_files(self):
        store = self.store()
        for name in ("e.jsonl", "e.fvecs", "e.npy"):
            self.assertEqual(self.json("export", store, self.path(name))["rows"], 0)
        self.assertEqual(os.path.getsize(self.path("e.jsonl")), 0)
        self.assertEqual(self.json("import", store, self.path("e.npy"))["rows"], 0)


class ScanBoundsTest(VarveTest):
    def test_after_and_to_are_exclusive(self):
        store = self.store()
        self.write(store, [{"op": "put", "key": f"k{n}", "namespace": ns, "vector": [0, 0, 0]} for n in range(6)
                           for ns in ("", "n")])

        self.assertEqual(self.keys(store, "--namespace", "n", "--after", "k1", "--to", "k4"), ["k2", "k3"])
        self.assertEqual(self.keys(store, "--to", "k2"), ["k0", "k1"])
        self.assertEqual(len(self.keys(store, "--after", "k2")), 9)


class DatabaseTest(VarveTest):
    def test_collections_are_listed_and_dropped(self):
        for name in ("a", "b"):
            self.varve("create", self.path("db/" + name), "--dim", "3")
        self.write(self.path("db/a"), [{"op": "put", "key": "k", "vector": [1, 2, 3]}])

        self.assertEqual(self.json("list", self.path("db")), {"collections": ["a", "b"]})
        self.assertEqual(self.varve("list", self.path("db")), "a\nb\n")
        self.assertEqual(self.json("drop", self.path("db"), "a"), {"dropped": "a"})

        self.assertEqual(sorted(os.listdir(self.path("db"))), ["DATABASE", "LOCK", "b"])
        self.assertEqual(self.count(self.path("db/b")), 0)
        self.assert_fails("NOT_FOUND", ("drop", self.path("db"), "a"), '"a"')
        self.assert_fails("NOT_FOUND", ("count", self.path("db/a")), "db/a")
        self.assert_fails("INVALID_ARGUMENT", ("drop", self.path("db"), "../db"), "'/'")

    def test_what_is_no_database_is_left_alone(self):
        store = self.store()

        self.assert_fails("FAILED_PRECONDITION", ("list", store), "neither a database")
        self.assert_fails("FAILED_PRECONDITION", ("drop", store, "wal"), "neither a database")
        self.assert_fails("NOT_FOUND", ("list", self.path("none")), "none")
        self.assert_fails("NOT_FOUND", ("drop", self.path("none"), "a"), "none")
        self.assertFalse(os.path.exists(self.path("none")))
