"""varve search and ground-truth: answers, recall, and what is refused."""

import json
import math

from harness import VarveTest, ground_truth, l2, matrix, nearest, random_vectors, read_ivecs, vecs

ROWS, DIMENSION, QUERIES = 600, 8, 40


class SearchFixture(VarveTest):
    """A base, queries, and their true neighbours, as files."""

    def setUp(self):
        super().setUp()
        self.base = random_vectors(ROWS, DIMENSION, seed=10)
        self.queries = random_vectors(QUERIES, DIMENSION, seed=11)
        self.base_file = self.file("base.fbin", matrix(self.base, "f"))
        self.query_file = self.file("query.fbin", matrix(self.queries, "f"))
        self.truth_file = self.file("truth.ivecs", ground_truth(self.base, self.queries, 20))

    def loaded(self, *options, prefix=""):
        store = self.store("--dim", str(DIMENSION), *options)
        self.varve("import", store, self.base_file, "--key-prefix", prefix)
        return store


class SearchTest(SearchFixture):
    def test_gives_the_documented_document(self):
        store = self.loaded("--index", "hnsw")
        self.varve("flush", store)

        document = self.json("search", store, "--queries", self.query_file, "--k", "5", "--results")

        self.assertEqual((document["queries"], document["k"]), (QUERIES, 5))
        self.assertGreater(document["recall"], 0.95)
        self.assertGreater(document["qps"], 0)
        self.assertLessEqual(document["latency_us"]["p50"], document["latency_us"]["p99"])
        self.assertEqual([len(hits) for hits in document["results"]], [5] * QUERIES)
        for query, hits in zip(self.queries, document["results"]):
            for hit in hits:
                self.assertEqual(hit["distance"], l2(query, self.base[int(hit["key"])]))
                self.assertEqual(hit["score"], -hit["distance"])
            self.assertEqual(hits, sorted(hits, key=lambda hit: (hit["distance"], hit["key"])))
        self.assertNotIn("results", self.json("search", store, "--queries", self.query_file))

    def test_exact_search_is_exact(self):
        store = self.loaded("--index", "hnsw")
        self.varve("flush", store)

        document = self.json("search", store, "--queries", self.query_file, "--exact", "--results", "--ground-truth",
                             self.truth_file)

        self.assertEqual(document["recall"], 1)
        for query, hits in zip(self.queries, document["results"]):
            distances = [l2(query, self.base[row]) for row in nearest(self.base, query, 10)]
            self.assertEqual([hit["distance"] for hit in hits], distances)

    def test_memtable_and_segments_answer_together(self):
        store = self.store("--dim", str(DIMENSION))
        self.varve("import", store, self.base_file, "--count", "300")
        self.varve("flush", store)
        self.varve("import", store, self.base_file, "--start", "300")

        document = self.json("search", store, "--queries", self.query_file, "--exact", "--ground-truth", self.truth_file)

        self.assertEqual(document["recall"], 1)

    def test_ground_truth_with_a_key_prefix(self):
        store = self.loaded("--index", "flat", prefix="row")
        options = ("--queries", self.query_file, "--ground-truth", self.truth_file)

        self.assertEqual(self.json("search", store, *options, "--key-prefix", "row")["recall"], 1)
        self.assertEqual(self.json("search", store, *options)["recall"], 0)

    def test_ties_count(self):
        store = self.store("--dim", "1")
        self.varve("import", store, self.file("ties.fbin", matrix([[1], [3], [1], [3], [9]], "f")))
        # Rows 0 to 3 are equally far from 2; the file names others than the search finds first.
        truth = self.file("ties.ivecs", vecs([[3, 2]], "i"))
        query = self.file("two.fbin", matrix([[2]], "f"))

        document = self.json("search", store, "--queries", query, "--k", "2", "--ground-truth", truth, "--results")

        self.assertEqual([hit["key"] for hit in document["results"][0]], ["0", "1"])
        self.assertEqual(document["recall"], 1)

    def test_recall_is_null_where_there_is_nothing_to_measure(self):
        store = self.loaded()
        document = self.json("search", store, "--queries", self.query_file, "--limit", "0")
        self.assertEqual((document["queries"], document["recall"]), (0, None))
        self.assertIsNone(self.json("search", store, "--queries", self.query_file, "--no-recall")["recall"])

    def test_limit_and_threads(self):
        store = self.loaded()
        one = self.json("search", store, "--queries", self.query_file, "--results", "--limit", "7")
        many = self.json("search", store, "--queries", self.query_file, "--results", "--limit", "7", "--threads", "4")
        self.assertEqual(one["queries"], 7)
        self.assertEqual(one["results"], many["results"])

    def test_answers_are_the_same_after_reopening_and_flushing(self):
        store = self.loaded("--index", "flat")
        options = ("search", store, "--queries", self.query_file, "--results", "--k", "20")
        before = self.json(*options)["results"]
        self.varve("flush", store)
        self.assertEqual(self.json(*options)["results"], before)

    def test_a_single_vector(self):
        store = self.loaded("--metric", "ip")
        hits = self.json("search", store, "--vector", json.dumps(self.queries[0]), "--k", "3", "--results")["results"][0]
        best = max(sum(x * y for x, y in zip(self.queries[0], row)) for row in self.base)
        self.assertEqual((hits[0]["score"], hits[0]["distance"]), (best, -best))
        self.assertIn(hits[0]["key"], self.varve("search", store, "--vector", json.dumps(self.queries[0])))

    def test_requests_as_lines(self):
        store = self.loaded("--index", "hnsw")
        self.write(store, [{"op": "put", "key": "n", "namespace": "x", "vector": self.queries[1]}])
        lines = [{"vector": self.queries[0]}, {"id": "second", "vector": self.queries[1], "k": 1},
                 {"id": 3, "vectors": {"vector": self.queries[1]}, "namespace": "x", "exact": True, "params": {"ef": 99}},
                 {"vector": self.queries[0], "score_threshold": 0}]
        file = self.file("requests.jsonl", "\n".join(map(json.dumps, lines)).encode())

        document = self.json("search", store, "--queries", file, "--k", "4", "--results")

        self.assertEqual(document["ids"], [None, "second", 3, None])
        self.assertEqual([len(hits) for hits in document["results"]], [4, 1, 1, 0])
        self.assertEqual(document["results"][2], [{"key": "n", "namespace": "x", "score": 0, "distance": 0}])

    def test_profile_tells_what_each_part_did(self):
        store = self.loaded("--index", "hnsw")
        self.varve("flush", store)

        document = self.json("search", store, "--queries", self.query_file, "--limit", "2", "--profile")

        self.assertEqual(len(document["profile"]), 2)
        part = document["profile"][0][0]
        self.assertEqual((part["index"], part["rows"]), ("HNSW", ROWS))
        self.assertGreater(part["distances"], 0)
        self.assertIn("HNSW", self.varve("search", store, "--queries", self.query_file, "--profile"))

    def test_queries_of_another_type_are_converted(self):
        store = self.loaded()
        file = self.file("query.i8bin", matrix(self.queries, "b"))
        self.assertEqual(self.json("search", store, "--queries", file, "--exact", "--ground-truth",
                                   self.truth_file)["recall"], 1)


class BadSearchTest(SearchFixture):
    def assert_refused(self, status, *options, parts=()):
        if not hasattr(self, "collection"):
            self.collection = self.loaded("--index", "hnsw")
        self.assert_fails(status, ("search", self.collection, *options), *parts)

    def test_bad_requests(self):
        queries = ("--queries", self.query_file)
        self.assert_refused("INVALID_ARGUMENT", *queries, "--k", "0", parts=("k is 0",))
        self.assert_refused("INVALID_ARGUMENT", *queries, "--field", "image", parts=('"image"',))
        self.assert_refused("INVALID_ARGUMENT", *queries, "--param", "speed=9", parts=('"speed"',))
        self.assert_refused("INVALID_ARGUMENT", *queries, "--param", "ef=0", parts=('"ef"',))
        self.assert_refused("INVALID_ARGUMENT", "--vector", "[1,2]", parts=("2", str(DIMENSION)))
        self.assert_refused("INVALID_ARGUMENT", "--vector", "[1,2", parts=("JSON",))
        self.assert_refused("NOT_FOUND", "--queries", self.path("none.fbin"), parts=("none.fbin",))
        self.assert_refused("INVALID_ARGUMENT", "--queries", self.file("queries.txt", b""), parts=("--format",))
        self.assert_refused("INVALID_ARGUMENT", "--queries", self.file("a.fbin", matrix([[1, 2]], "f")),
                            parts=("a.fbin", "dimension 2"))
        self.assert_refused("INVALID_ARGUMENT", "--queries", self.file("b.fbin", matrix([[math.nan] * DIMENSION], "f")),
                            parts=("query 0",))
        self.assert_refused("INVALID_ARGUMENT", "--queries", self.file("c.jsonl", b'{"vector":[1]}\n{"k":1}\n'),
                            parts=("c.jsonl: line 2", '"vector"'))

    def test_bad_ground_truth(self):
        queries = ("--queries", self.query_file)
        short = self.file("short.ivecs", ground_truth(self.base, self.queries[:5], 10))
        narrow = self.file("narrow.ivecs", ground_truth(self.base, self.queries, 5))
        cut = self.file("cut.ivecs", ground_truth(self.base, self.queries, 10)[:-1])
        self.assert_refused("INVALID_ARGUMENT", *queries, "--ground-truth", short, parts=("short.ivecs", "5 rows"))
        self.assert_refused("INVALID_ARGUMENT", *queries, "--ground-truth", narrow, parts=("narrow.ivecs", "10"))
        self.assert_refused("INVALID_ARGUMENT", *queries, "--ground-truth", cut, parts=("cut.ivecs", "row 39"))

    def test_filters(self):
        store = self.loaded("--index", "hnsw")
        self.write(store, [{"op": "update", "key": str(row), "metadata": {"n": row, "odd": row % 2 == 1}}
                           for row in range(ROWS)], "--batch", "500")
        for name, flush in (("over two parts", False), ("in one segment", True)):
            with self.subTest(name):
                if flush:
                    self.varve("merge", store, "--full")
                for filter, rows in (("odd", [row for row in range(ROWS) if row % 2 == 1]),
                                     ("n IN (3, 17, 40)", [3, 17, 40]), ("n < 0", [])):
                    document = self.json("search", store, "--queries", self.query_file, "--filter", filter, "--exact",
                                         "--results")
                    for query, hits in zip(self.queries, document["results"]):
                        nearest_rows = sorted(rows, key=lambda row: (l2(query, self.base[row]), str(row)))[:10]
                        self.assertEqual([hit["key"] for hit in hits], [str(row) for row in nearest_rows])
        requests = self.file("filtered.jsonl", "".join(
            json.dumps({"vector": self.queries[0], "filter": filter}) + "\n"
            for filter in ("n = 7", {"n": {"$in": [7, 8]}}, {})).encode())
        document = self.json("search", store, "--queries", requests, "--results", "--profile", "--filter", "n = 1")
        self.assertEqual([len(hits) for hits in document["results"]], [1, 2, 10])
        profile = [parts[-1] for parts in document["profile"]]
        self.assertEqual([part["plan"] for part in profile[:2]], ["scan of matching rows"] * 2)
        self.assertEqual([part["matching_rows"] for part in profile], [1, 2, 0])
        self.assert_fails("INVALID_ARGUMENT", ("search", store, "--queries", requests, "--filter", "n ="), "at offset 3")
        bad = self.file("bad.jsonl", json.dumps({"vector": self.queries[0], "filter": {"$gt": 1}}).encode())
        self.assert_fails("INVALID_ARGUMENT", ("search", store, "--queries", bad), "line 1", "at offset 1")

    def test_later_features_are_named(self):
        self.assert_refused("UNIMPLEMENTED", "--text", "words", parts=("--text",))
        for name in ("sparse", "text", "fusion", "mmr", "group_by", "truncate_dim"):
            file = self.file("r.jsonl", json.dumps({"vector": self.queries[0], name: {}}).encode())
            self.assert_refused("UNIMPLEMENTED", "--queries", file, parts=("line 1", name))

    def test_wrong_usage(self):
        store = self.path("store")
        self.assert_usage("search", store)
        self.assert_usage("search", store, "--vector", "[1]", "--queries", "q.fbin")
        self.assert_usage("search", store, "--vector", "[1]", "--k", "many")
        self.assert_usage("search", store, "--vector", "[1]", "--param", "ef")


class GroundTruthTest(SearchFixture):
    def truth(self, source, *options):
        output = self.path("out.ivecs")
        document = self.json("ground-truth", source, "--queries", self.query_file, "--k", "20", "--output", output,
                             *options)
        self.assertEqual((document["queries"], document["k"]), (QUERIES, 20))
        self.assertIn("seconds", document)
        return read_ivecs(output)

    def test_of_a_file(self):
        self.assertEqual(self.truth(self.base_file, "--metric", "l2"), read_ivecs(self.truth_file))

    def test_of_a_collection(self):
        rows = self.truth(self.loaded("--index", "hnsw", prefix="row"), "--metric", "l2", "--key-prefix", "row")
        expected = read_ivecs(self.truth_file)
        for query, found, wanted in zip(self.queries, rows, expected):
            self.assertEqual([l2(query, self.base[row]) for row in found], [l2(query, self.base[row]) for row in wanted])

    def test_says_what_is_wrong(self):
        output = ("--queries", self.query_file, "--output", self.path("o.ivecs"))
        store = self.loaded(prefix="row")
        self.assert_fails("INVALID_ARGUMENT", ("ground-truth", store, *output), '"row')
        self.assert_fails("INVALID_ARGUMENT", ("ground-truth", store, *output, "--metric", "cosine"), "cosine", "l2")
        self.assert_fails("INVALID_ARGUMENT", ("ground-truth", self.base_file, *output, "--k", "0"), "k is 0")
        self.assert_fails("NOT_FOUND", ("ground-truth", self.path("none.fbin"), *output), "none.fbin")
        self.assert_fails("INVALID_ARGUMENT", ("ground-truth", self.file("a.fbin", matrix([[1, 2]], "f")), *output),
                          "dimension")
