"""varve write and delete: operations, batches, acknowledgements, and what is refused."""

import base64
import json
import os
import subprocess

from harness import TIMEOUT_S, VARVE, VarveTest


def put(key, vector=(1, 2, 3), **members):
    return {"op": "put", "key": key, "vector": list(vector), **members}


class WriteTest(VarveTest):
    def get(self, store, key, *options):
        return self.json("get", store, key, *options)

    def test_carries_out_every_operation(self):
        store = self.store()

        self.write(store, [put("a", metadata={"x": 1, "y": 2}), put("b"), put("c"), {"op": "flush"},
                           {"op": "insert", "key": "d", "vector": [4, 5, 6]},
                           {"op": "update", "key": "a", "patch": {"y": None, "z": 3}},
                           {"op": "update", "key": "b", "metadata": {"new": True}, "vector": [9, 9, 9]},
                           {"op": "delete", "key": "c"}, {"op": "checkpoint"},
                           put("e", namespace="other"), {"op": "delete_namespace", "namespace": "other"}])

        self.assertEqual(self.keys(store), ["a", "b", "d"])
        self.assertEqual(self.get(store, "a")["metadata"], {"x": 1, "z": 3})
        self.assertEqual(self.get(store, "b")["metadata"], {"new": True})
        self.assertEqual(self.get(store, "b")["vector"], [9, 9, 9])

    def test_deletes_by_filter_in_order_with_the_rest(self):
        store = self.store()

        output = self.write(store, [put("a", metadata={"n": 1}), put("b", metadata={"n": 2}),
                                    put("c", metadata={"n": 2}, namespace="x"),
                                    {"op": "delete_where", "filter": "n = 2", "namespace": ""},
                                    put("d", metadata={"n": 1}),
                                    {"op": "delete_where", "filter": {"n": {"$eq": 1}}},
                                    put("e", metadata={"n": 1})], "--acks", "--batch", "10")

        self.assertEqual(output.splitlines(), ["ack a", "ack b", "ack c", "ack", "ack d", "ack", "ack e"])
        self.assertEqual(self.keys(store), ["e", "c"])
        self.assert_fails("INVALID_ARGUMENT", ("write", store), "line 1", "filter", stdin='{"op":"delete_where"}')
        self.assert_fails("INVALID_ARGUMENT", ("write", store), "line 1", "at offset 3",
                          stdin='{"op":"delete_where","filter":"n ="}')

    def test_reports_what_it_did(self):
        store = self.store()
        lines = "".join(json.dumps(put(str(n))) + "\n" for n in range(5)) + '{"op":"flush"}\n'

        document = self.json("write", store, "--batch", "2", stdin=lines)

        self.assertEqual((document["operations"], document["batches"]), (6, 3))

    def test_acknowledges_every_operation_in_order(self):
        store = self.store()
        operations = [put("a"), put("b c"), put("line\nbreak"), {"op": "flush"}, {"op": "delete", "key": "a"},
                      {"op": "delete_namespace", "namespace": "n"}, put('q"uote'), {"op": "checkpoint"}]

        output = self.write(store, operations, "--acks", "--batch", "3")

        self.assertEqual(output.splitlines(), ["ack a", "ack b c", 'ack "line\\nbreak"', "ack", "ack a", "ack",
                                               'ack q"uote', "ack"])

    def test_acknowledges_before_the_next_line_comes(self):
        store = self.store()
        process = subprocess.Popen([VARVE, "write", store, "--acks"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            for n in range(20):
                process.stdin.write((json.dumps(put(f"k{n}")) + "\n").encode())
                process.stdin.flush()
                self.assertEqual(process.stdout.readline(), f"ack k{n}\n".encode())
        finally:
            process.stdin.close()
            self.assertEqual(process.wait(timeout=TIMEOUT_S), 0)
            process.stdout.close()
        self.assertEqual(self.count(store), 20)

    def test_acknowledged_operations_survive_sigkill(self):
        store = self.store()
        process = subprocess.Popen([VARVE, "write", store, "--acks", "--batch", "2"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        for n in range(10):
            process.stdin.write((json.dumps(put(f"k{n}")) + "\n").encode())
        process.stdin.flush()
        for n in range(10):
            self.assertEqual(process.stdout.readline(), f"ack k{n}\n".encode())
        process.kill()
        process.wait(timeout=TIMEOUT_S)
        process.stdin.close()
        process.stdout.close()

        self.assertEqual(self.count(store), 10)
        self.assertTrue(self.json("verify", store)["ok"])

    def test_the_last_line_need_not_be_ended(self):
        store = self.store()
        self.varve("write", store, stdin="\n" + json.dumps(put("a")) + "\n\n" + json.dumps(put("b")))
        self.assertEqual(self.keys(store), ["a", "b"])

    def test_a_failed_line_ends_everything_but_what_came_before(self):
        store = self.store()
        lines = [json.dumps(put(str(n))) for n in range(6)]
        lines[4] = '{"op":"put","key":"4","vector":[1,2]}'

        self.assert_fails("INVALID_ARGUMENT", ("write", store), "line 5", '"4"', stdin="\n".join(lines))
        self.assertEqual(self.keys(store), ["0", "1", "2", "3"])
        self.assert_fails("INVALID_ARGUMENT", ("write", store, "--batch", "10"), "line 5", stdin="\n".join(lines))
        self.assertEqual(self.keys(store), ["0", "1", "2", "3"])

    def test_a_batch_is_applied_whole_or_not_at_all(self):
        store = self.store()
        self.write(store, [put("old")])
        lines = "\n".join(json.dumps(line) for line in
                          [put("a"), put("b"), put("c"), {"op": "insert", "key": "old", "vector": [1, 1, 1]}])

        result = self.assert_fails("ALREADY_EXISTS", ("write", store, "--batch", "2", "--acks"), "line 4", '"old"',
                                   stdin=lines)

        self.assertEqual(result.stdout, b"ack a\nack b\n")
        self.assertEqual(self.keys(store), ["a", "b", "old"])

    def test_conditions(self):
        store = self.store()
        self.write(store, [put("a")])
        sequence = self.get(store, "a")["sequence"]

        self.write(store, [put("a", (7, 7, 7), if_sequence=sequence), put("new", if_sequence=0)])
        self.assertEqual(self.get(store, "a")["vector"], [7, 7, 7])
        for operation in (put("a", if_sequence=sequence), put("a", if_sequence=0), put("none", if_sequence=5),
                          {"op": "delete", "key": "a", "if_sequence": sequence}):
            self.assert_fails("ABORTED", ("write", store), "line 1", stdin=json.dumps(operation))
        self.assert_fails("NOT_FOUND", ("write", store), "line 1", '"none"',
                          stdin='{"op":"update","key":"none","metadata":{}}')

    def test_time_to_live(self):
        store = self.store()
        self.write(store, [put("a", ttl_seconds=3600), put("b", ttl_seconds=0), put("c")])

        self.assertGreater(self.get(store, "a")["expires_at"], 1_600_000_000_000)
        self.assert_fails("NOT_FOUND", ("get", store, "b"))
        self.assertNotIn("expires_at", self.get(store, "c"))
        self.write(store, [{"op": "update", "key": "a", "ttl_seconds": None}])
        self.assertNotIn("expires_at", self.get(store, "a"))

    def test_keys_are_any_bytes(self):
        store = self.store()
        key = base64.b64encode(b"\xff\x00\n").decode()

        output = self.write(store, [{"op": "put", "key_base64": key, "namespace_base64": key, "vector": [1, 2, 3]}],
                            "--acks")

        self.assertEqual(output, f"ack {key}\n")
        (record,) = self.scan(store)
        self.assertEqual((record["key_base64"], record["namespace_base64"]), (key, key))
        self.assertEqual(self.json("get", store, "--key-base64", key, "--namespace-base64", key), record)

    def test_metadata_keeps_its_numbers(self):
        store = self.store()
        metadata = '{"large":9007199254740993,"tenth":0.1,"zeros":1.500,"exponent":1e3}'

        self.varve("write", store, stdin='{"op":"put","key":"a","vector":[1,2,3],"metadata":%s}' % metadata)

        self.assertIn(f'"metadata":{metadata}', self.varve("get", store, "a"))


class BadOperationTest(VarveTest):
    def assert_refused(self, line, *parts, status="INVALID_ARGUMENT", create=("--dim", "3")):
        if not os.path.exists(self.path("store")):
            self.store(*create)
        self.assert_fails(status, ("write", self.path("store")), "line 1", *parts, stdin=line)
        self.assertEqual(self.count(self.path("store")), 0)

    def test_vectors(self):
        self.assert_refused('{"op":"put","key":"a","vector":[1,2]}', '"a"', "vector", "2", "3")
        self.assert_refused('{"op":"put","key":"a","vector":[1,2,NaN]}', "JSON")
        self.assert_refused('{"op":"put","key":"a","vector":[1,2,Infinity]}', "JSON")
        self.assert_refused('{"op":"put","key":"a","vector":[1,2,1e39]}', '"vector"[2]', "1e39")
        self.assert_refused('{"op":"put","key":"a","vector":[1,2,"3"]}', '"vector"[2]')
        self.assert_refused('{"op":"put","key":"a","vectors":{"image":[1,2,3]}}', '"image"')

    def test_zero_vector_under_cosine(self):
        self.assert_refused('{"op":"put","key":"a","vector":[0,0,0]}', '"a"', create=("--dim", "3", "--metric", "cosine"))

    def test_keys(self):
        self.assert_refused('{"op":"put","key":"","vector":[1,2,3]}', "key is empty")
        self.assert_refused(json.dumps({"op": "put", "key": "k" * 65537, "vector": [1, 2, 3]}), "65537", "65536")
        self.assert_refused(json.dumps({"op": "put", "key": "k", "namespace": "n" * 1025, "vector": [1, 2, 3]}), "1025")
        self.varve("write", self.path("store"), stdin=json.dumps({"op": "delete", "key": "k" * 65536}))

    def test_unknown_members_and_operations(self):
        self.assert_refused('{"op":"upsert","key":"a"}', '"upsert"')
        self.assert_refused('{"op":"put","key":"a","vektor":[1,2,3]}', '"vektor"')
        self.assert_refused('{"op":"put","vector":[1,2,3]}', '"key"')
        self.assert_refused('{"op":"put","key":"a","key":"b"}', "twice")
        self.assert_refused('{"key":"a"}', '"op"')
        self.assert_refused('{"op":"put",', "JSON")
        self.assert_refused("[" * 100000, "JSON")
        self.assert_refused('{"op":"put","key":"\udcff"}'.encode("utf-8", "surrogateescape"), "UTF-8")
        self.assert_refused('{"op":"put","key":"a","vector":[1,2,3],"ttl_seconds":-1}', "ttl_seconds")
        self.assert_refused('{"op":"update","key":"a","metadata":{},"patch":{}}', "patch")

    def test_later_features_are_named(self):
        for line, name in (('{"op":"put","key":"a","sparse":{}}', "sparse"),
                           ('{"op":"put","key":"a","text":{}}', "text"),
                           ('{"op":"put","key":"a","vector":[[1,2,3]]}', "multi-vector")):
            self.assert_refused(line, name, status="UNIMPLEMENTED")

    def test_a_second_writer(self):
        store = self.store()
        process = subprocess.Popen([VARVE, "write", store, "--acks"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdin.write((json.dumps(put("a")) + "\n").encode())
        process.stdin.flush()
        process.stdout.readline()

        for command in (("write", store), ("flush", store), ("delete", store, "--namespace", "n")):
            self.assert_fails("FAILED_PRECONDITION", command, store)
        self.assertEqual(self.count(store), 1, "readers work beside the writer")

        process.stdin.close()
        self.assertEqual(process.wait(timeout=TIMEOUT_S), 0)
        process.stdout.close()
        self.varve("flush", store)

    def test_wrong_usage(self):
        self.assert_usage("write", self.path("store"), "--batch", "0")
        self.assert_usage("write", self.path("store"), "--sync", "sometimes")
        self.assert_usage("delete", self.path("store"))


class DeleteTest(VarveTest):
    def test_empties_a_namespace(self):
        store = self.store()
        self.write(store, [put("a", namespace="n"), {"op": "flush"}, put("b", namespace="n"), put("c")])

        self.assertEqual(self.json("delete", store, "--namespace", "n"), {"rows": 2})

        self.assertEqual(self.keys(store), ["c"])
        self.assertEqual(self.json("delete", store, "--namespace", "n"), {"rows": 0})

    def test_by_filter(self):
        store = self.store()
        self.write(store, [put(str(n), metadata={"n": n}, namespace="x" if n % 2 else "") for n in range(10)])

        self.assertEqual(self.json("delete", store, "--filter", "n IN (1, 2)"), {"rows": 2})
        self.assertEqual(self.json("delete", store, "--filter", '{"n":{"$gt":5}}', "--namespace", "x"), {"rows": 2})
        self.assertEqual(self.keys(store), ["0", "4", "6", "8", "3", "5"])
        self.assertEqual(self.varve("delete", store, "--filter", "n > 5"), "deleted 2 rows\n")

        self.assert_fails("INVALID_ARGUMENT", ("delete", store, "--filter", "n >"), "at offset 3")
        self.assertEqual(self.keys(store), ["0", "4", "3", "5"])
