"""varve get, scan, count, info, verify, dump, flush, merge and checkpoint."""

import json
import os

from harness import VarveTest, matrix, random_vectors


class ReadTest(VarveTest):
    def filled(self):
        store = self.store()
        self.write(store, [{"op": "put", "key": key, "namespace": ns, "vector": [n, n, n], "metadata": {"n": n}}
                           for n, (ns, key) in enumerate([("", "b"), ("", "a"), ("x", "a"), ("x", "ab"), ("x", "b")])])
        return store

    def test_get_gives_the_record(self):
        store = self.filled()

        record = self.json("get", store, "ab", "--namespace", "x")

        self.assertEqual((record["key"], record["namespace"], record["vector"]), ("ab", "x", [3, 3, 3]))
        self.assertEqual(record["metadata"], {"n": 3})
        self.assertEqual(record["sequence"], 4)
        self.assertEqual(record["created_at"], record["updated_at"])
        self.assertGreater(record["created_at"], 1_600_000_000_000_000)

    def test_get_tells_an_absent_key(self):
        store = self.filled()
        self.assert_fails("NOT_FOUND", ("get", store, "ab"), '"ab"')
        self.assert_usage("get", store)
        self.assert_usage("get", store, "a", "--key-base64", "YQ==")
        self.assert_fails("INVALID_ARGUMENT", ("get", store, "--key-base64", "?"), "--key-base64")

    def test_get_takes_keys_that_look_like_options(self):
        store = self.store()
        self.write(store, [{"op": "put", "key": "--json", "vector": [1, 2, 3]}])
        self.assertEqual(json.loads(self.varve("get", store, "--", "--json"))["key"], "--json")

    def test_vectors_come_back_as_they_went_in(self):
        store = self.store()
        self.write(store, [{"op": "put", "key": "a", "vector": [0.1, -1e-7, 16777216]}])
        self.assertIn('"vector":[0.1,-1e-07,16777216]', self.varve("get", store, "a"))

    def test_scan_is_ordered_and_bounded(self):
        store = self.filled()

        self.assertEqual([(record["namespace"], record["key"]) for record in self.scan(store)],
                         [("", "a"), ("", "b"), ("x", "a"), ("x", "ab"), ("x", "b")])
        self.assertEqual(self.keys(store, "--namespace", "x"), ["a", "ab", "b"])
        self.assertEqual(self.keys(store, "--namespace", "x", "--prefix", "a"), ["a", "ab"])
        self.assertEqual(self.keys(store, "--namespace", "x", "--from", "ab"), ["ab", "b"])
        self.assertEqual(self.keys(store, "--limit", "2"), ["a", "b"])
        self.assertEqual(self.scan(store, "--keys-only", "--limit", "1"), [{"key": "a", "namespace": ""}])

    def test_what_scan_prints_can_be_written_again(self):
        store = self.filled()
        self.varve("create", self.path("copy"), "--dim", "3")
        members = ("key", "namespace", "vector", "metadata")
        records = [{name: record[name] for name in members} for record in self.scan(store)]

        self.write(self.path("copy"), [{"op": "put", **record} for record in records])

        self.assertEqual([{name: record[name] for name in members} for record in self.scan(self.path("copy"))], records)

    def test_count(self):
        store = self.filled()
        self.assertEqual(self.json("count", store), {"rows": 5})
        self.assertEqual(self.varve("count", store), "5\n")
        self.assertEqual(self.json("count", store, "--namespace", "x"), {"rows": 3})

    def test_filters(self):
        store = self.store()
        self.write(store, [{"op": "put", "key": f"k{n}", "metadata": {"n": n, "tags": ["a", str(n)]},
                            "namespace": "x" if n % 2 else ""} for n in range(10)])
        for name, flush in (("in the memtable", False), ("in a segment", True)):
            with self.subTest(name):
                if flush:
                    self.varve("flush", store)
                self.assertEqual(self.json("count", store, "--filter", "n >= 3 AND n < 8"), {"rows": 5})
                self.assertEqual(self.json("count", store, "--filter", '{"n":{"$gte":3,"$lt":8}}'), {"rows": 5})
                self.assertEqual(self.varve("count", store, "--filter", "n >= 3", "--namespace", "x"), "4\n")
                self.assertEqual(self.json("count", store, "--filter", "nothing = 1"), {"rows": 0})
                lines = self.varve("scan", store, "--filter", "tags CONTAINS '4'", "--keys-only").splitlines()
                self.assertEqual([json.loads(line)["key"] for line in lines], ["k4"])
        self.assert_fails("INVALID_ARGUMENT", ("count", store, "--filter", "n = "), "at offset 4")
        self.assert_fails("INVALID_ARGUMENT", ("scan", store, "--filter", '{"n":{"$like":1}}'), "$like")

    def test_a_directory_that_is_not_a_collection(self):
        os.mkdir(self.path("other"))
        self.file("other/notes.txt", b"mine")
        commands = [("count",), ("info",), ("scan",), ("verify",), ("get", "k"), ("flush",), ("write",),
                    ("search", "--vector", "[1]"), ("delete", "--namespace", "n")]
        for command, *options in commands:
            self.assert_fails("FAILED_PRECONDITION", (command, self.path("other"), *options), "other")
            self.assert_fails("NOT_FOUND", (command, self.path("nothing"), *options), "nothing")
        self.assertEqual(os.listdir(self.path("other")), ["notes.txt"], "nothing was written")
        self.assertFalse(os.path.exists(self.path("nothing")))


class MaintenanceTest(VarveTest):
    def loaded(self, rows, *options):
        store = self.store("--dim", "8", *options)
        self.varve("import", store, self.file("base.fbin", matrix(random_vectors(rows, 8, seed=5), "f")))
        return store

    def test_flush_makes_a_segment(self):
        store = self.loaded(100, "--index", "hnsw")

        document = self.json("flush", store)

        self.assertEqual((len(document["segments_added"]), document["segments_removed"]), (1, []))
        self.assertEqual(document["rows_written"], 100)
        info = self.json("info", store)
        (segment,) = info["segments"]
        self.assertEqual([segment["id"]], document["segments_added"])
        self.assertEqual((segment["rows"], segment["live_rows"]), (100, 100))
        self.assertEqual((segment["index"], segment["compression"]), ("HNSW", "NONE"))
        self.assertGreater(segment["bytes"], 100 * 8 * 4)
        (field,) = segment["fields"]
        self.assertEqual((field["name"], field["index"], field["compression"]), ("vector", "HNSW", "NONE"))
        self.assertTrue(field["why"])
        self.assertEqual(self.json("flush", store)["segments_added"], [])

    def test_merge_folds_segments(self):
        store = self.loaded(50)
        self.varve("flush", store)
        self.varve("import", store, self.path("base.fbin"), "--key-prefix", "again")
        self.varve("flush", store)

        document = self.json("merge", store, "--full")

        self.assertEqual((len(document["segments_added"]), len(document["segments_removed"])), (1, 2))
        self.assertEqual([segment["live_rows"] for segment in self.json("info", store)["segments"]], [100])

    def test_checkpoint_is_named_by_info(self):
        store = self.loaded(10)

        document = self.json("checkpoint", store)

        self.assertIn(document["checkpoint"], self.json("info", store)["checkpoints"])

    def test_info_tells_all_of_it(self):
        store = self.loaded(30)

        info = self.json("info", store)

        self.assertEqual((info["rows"], info["segments"]), (30, []))
        recovery = info["recovery"]
        self.assertEqual((recovery["logs"], recovery["dropped_bytes"], recovery["fallback"]), (1, 0, ""))
        self.assertGreater(recovery["records"], 0)
        self.assertIn("microseconds", recovery)
        for name in ("schema", "manifest", "log", "checkpoints", "memtable", "disk_bytes", "dead_rows"):
            self.assertIn(name, info)
        self.assertIn("30", self.varve("info", store))

    def test_info_counts_dead_rows(self):
        store = self.loaded(10)
        self.varve("flush", store)
        self.write(store, [{"op": "delete", "key": "3"}, {"op": "delete", "key": "4"}, {"op": "flush"}])

        info = self.json("info", store)

        self.assertEqual((info["rows"], info["dead_rows"]), (8, 2))
        self.assertEqual([(segment["rows"], segment["live_rows"]) for segment in info["segments"]], [(10, 8)])


class InspectTest(VarveTest):
    def flushed(self):
        store = self.store("--dim", "8", "--index", "hnsw")
        self.varve("import", store, self.file("base.fbin", matrix(random_vectors(200, 8, seed=6), "f")))
        self.varve("checkpoint", store)
        self.write(store, [{"op": "delete", "key": "7"}, {"op": "flush"}, {"op": "delete", "key": "8"}])
        return store

    def files(self, store):
        return [os.path.join(directory, name) for directory, _, names in os.walk(store) for name in names]

    def test_verify_of_a_sound_collection(self):
        store = self.flushed()

        for options in ((), ("--deep",)):
            document = self.json("verify", store, *options)
            self.assertEqual((document["ok"], document["damage"]), (True, []))
            self.assertGreater(document["files"], 3)
            self.assertGreater(document["bytes"], 200 * 8 * 4)
            self.assertIsInstance(document["warnings"], list)
        self.assertIn("ok", self.varve("verify", store))

    def test_verify_lists_damage(self):
        store = self.flushed()
        (segment,) = [file for file in self.files(store) if file.endswith(".vcnt")]
        with open(segment, "r+b") as file:
            file.seek(os.path.getsize(segment) // 2)
            byte = file.read(1)[0]
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 1]))

        for path in (store, segment):
            result = self.assert_fails("DATA_LOSS", ("verify", path, "--json"), os.path.basename(segment))
            document = json.loads(result.stdout)
            self.assertFalse(document["ok"])
            damage = document["damage"][0]
            self.assertIn(os.path.basename(segment), damage["file"])
            self.assertTrue(damage["what"])
            self.assertIn("offset", damage)
            self.assertIn("section", damage)

    def test_dump_decodes_every_file(self):
        store = self.flushed()
        dumped = set()
        for file in self.files(store):
            if os.path.basename(file) == "LOCK":
                continue
            self.assertIsInstance(json.loads(self.varve("dump", file)), dict, file)
            dumped.add(os.path.splitext(file)[1])
        self.assertLessEqual({".vcnt", ".json", ".vdel"}, dumped)

    def test_dump_refuses_other_files(self):
        self.assertEqual(self.run_varve("dump", self.file("notes.txt", b"mine")).returncode, 1)
        self.assert_fails("NOT_FOUND", ("dump", self.path("none")), "none")
