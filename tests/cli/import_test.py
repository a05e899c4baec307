"""varve import: every format, and every way in which a file can be wrong."""

import json
import math
import shutil
import struct

from harness import VarveTest, matrix, npy, random_vectors, vecs


class ImportTest(VarveTest):
    def vectors(self, store, *options):
        return [record["vector"] for record in self.scan(store, *options)]

    def test_reports_rows_and_speed(self):
        store = self.store()
        file = self.file("base.fbin", matrix(random_vectors(25, 3, seed=1), "f"))

        document = self.json("import", store, file, "--batch", "10")

        self.assertEqual(document["rows"], 25)
        self.assertGreater(document["seconds"], 0)
        self.assertAlmostEqual(document["rows_per_second"], 25 / document["seconds"], delta=1)
        self.assertEqual(self.count(store), 25)

    def test_reads_every_format(self):
        rows = [[1, 2, 3], [100, 0, 7]]
        files = [self.file("a.fvecs", vecs(rows, "f")), self.file("a.bvecs", vecs(rows, "B")),
                 self.file("a.fbin", matrix(rows, "f")), self.file("a.u8bin", matrix(rows, "B")),
                 self.file("a.i8bin", matrix(rows, "b")), self.file("a.npy", npy(rows, "f", "<f4")),
                 self.file("b.npy", npy(rows, "e", "<f2")), self.file("c.npy", npy(rows, "B", "|u1")),
                 self.file("d.npy", npy(rows, "b", "|i1"))]
        for number, file in enumerate(files):
            store = self.path(f"s{number}")
            self.varve("create", store, "--dim", "3")

            self.assertEqual(self.json("import", store, file)["rows"], 2, file)
            self.assertEqual(self.vectors(store), rows, file)
            self.assertEqual(self.keys(store), ["0", "1"], file)

    def test_keeps_bytes_of_the_fields_element_type(self):
        rows = [[0, 128, 255], [1, 2, 3]]
        for element, name, code in (("u8", "a.u8bin", "B"), ("i8", "a.i8bin", "b"), ("f16", "a.npy", "e")):
            store = self.path("store-" + element)
            self.varve("create", store, "--dim", "3", "--type", element)
            data = [[x - 128 for x in row] for row in rows] if element == "i8" else rows
            contents = npy(data, code, "<f2") if element == "f16" else matrix(data, code)

            self.varve("import", store, self.file(name, contents))

            self.assertEqual(self.vectors(store), data, element)

    def test_packs_bits(self):
        self.varve("create", self.path("s"), "--dim", "16", "--type", "bits", "--metric", "hamming")

        self.varve("import", self.path("s"), self.file("a.u8bin", matrix([[0b00000101, 0b10000000]], "B")))

        self.assertEqual(self.vectors(self.path("s")), [[1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]])

    def test_format_option_beats_the_name(self):
        store = self.store()

        self.varve("import", store, self.file("data.bin", vecs([[1, 2, 3]], "f")), "--format", "fvecs")

        self.assertEqual(self.count(store), 1)
        self.assert_fails("INVALID_ARGUMENT", ("import", store, self.path("data.bin")), "data.bin", "--format")

    def test_start_and_count_keep_the_numbers_of_the_file(self):
        store = self.store()
        file = self.file("a.fvecs", vecs(random_vectors(20, 3, seed=2), "f"))

        self.varve("import", store, file, "--key-prefix", "row", "--start", "8", "--count", "3")

        self.assertEqual(self.keys(store), ["row10", "row8", "row9"])
        self.assertEqual(self.json("import", store, file, "--start", "20")["rows"], 0)
        self.assert_fails("INVALID_ARGUMENT", ("import", store, file, "--start", "21"), "a.fvecs", "20 rows")

    def test_insert_refuses_keys_that_are_there(self):
        store = self.store()
        file = self.file("a.fvecs", vecs(random_vectors(4, 3, seed=3), "f"))
        self.varve("import", store, file, "--start", "2", "--count", "1")

        self.assert_fails("ALREADY_EXISTS", ("import", store, file, "--mode", "insert", "--batch", "1"), "a.fvecs", '"2"')

        self.assertEqual(self.keys(store), ["0", "1", "2"])

    def test_update_fills_one_field_of_rows_that_exist(self):
        schema = {"fields": [{"name": "a", "dimension": 1}, {"name": "b", "dimension": 2}]}
        self.varve("create", self.path("s"), "--schema", self.file("schema.json", json.dumps(schema).encode()))
        store = self.path("s")
        self.varve("import", store, self.file("a.fbin", matrix([[1], [2]], "f")))

        self.varve("import", store, self.file("b.fbin", matrix([[3, 4], [5, 6]], "f")), "--mode", "update", "--field", "b")

        records = self.scan(store)
        self.assertEqual([record["vector"] for record in records], [[1], [2]])
        self.assertEqual([record["vectors"] for record in records], [{"b": [3, 4]}, {"b": [5, 6]}])
        self.assert_fails("NOT_FOUND", ("import", store, self.file("c.fbin", matrix([[0, 0]] * 3, "f")), "--mode", "update",
                                        "--field", "b"), "c.fbin", '"2"')

    def test_reads_put_operations_as_lines(self):
        store = self.store()
        lines = [{"op": "put", "key": f"k{n}", "namespace": "n", "vector": [n, 0, 0], "metadata": {"n": n}}
                 for n in range(5)]
        file = self.file("a.jsonl", "".join(json.dumps(line) + "\n" for line in lines).encode())

        self.assertEqual(self.json("import", store, file, "--start", "1", "--count", "3", "--batch", "2")["rows"], 3)

        self.assertEqual([record["metadata"] for record in self.scan(store)], [{"n": 1}, {"n": 2}, {"n": 3}])
        bad = self.file("b.jsonl", b'{"op":"put","key":"x"}\n{"op":"delete","key":"x"}\n')
        self.assert_fails("INVALID_ARGUMENT", ("import", store, bad), "b.jsonl: line 2", "put")

    def test_small_memory_splits_batches(self):
        store = self.store("--dim", "512")
        file = self.file("a.fbin", matrix(random_vectors(3000, 512, seed=4), "f"))

        self.varve("import", store, file, "--memory", "2MB", "--batch", "3000")

        self.assertEqual(self.count(store), 3000)


class BadImportTest(VarveTest):
    """What is wrong is named, with file and place, and nothing of a bad file is loaded."""

    def assert_refused(self, name, contents, *parts, options=(), create=("--dim", "3")):
        store = self.path("store")
        self.varve("create", store, *create)
        self.assert_fails("INVALID_ARGUMENT", ("import", store, self.file(name, contents), *options), name, *parts)
        self.assertEqual(self.count(store), 0)
        shutil.rmtree(store)

    def test_wrong_dimension(self):
        self.assert_refused("a.fbin", matrix([[1, 2]], "f"), "dimension 2", '"vector" has 3')
        self.assert_refused("a.fvecs", vecs([[1, 2, 3, 4]], "f"), "dimension 4")

    def test_rows_that_disagree_on_the_dimension(self):
        self.assert_refused("a.fvecs", vecs([[1, 2, 3], [4, 5]], "f"), "row 1", "offset 16", "dimension 2")
        self.assert_refused("a.fvecs", vecs([[1, 2, 3], [4, 5], [6, 7, 8, 9]], "f"), "row 1", "dimension 2")

    def test_a_file_that_ends_inside_a_row(self):
        self.assert_refused("a.fvecs", vecs([[1, 2, 3], [4, 5, 6]], "f")[:-5], "row 1", "offset 27")
        self.assert_refused("a.fvecs", vecs([[1, 2, 3], [4, 5, 6]], "f")[:18], "row 1", "offset 18")
        self.assert_refused("a.bvecs", vecs([[1, 2, 3]], "B")[:-1], "row 0")
        self.assert_refused("a.fbin", matrix([[1, 2, 3], [4, 5, 6]], "f")[:-1], "row 1", "offset 31")
        self.assert_refused("a.u8bin", matrix([[1, 2, 3]], "B")[:5], "header")
        self.assert_refused("a.npy", npy([[1, 2, 3]], "f", "<f4")[:-1], "row 0")

    def test_headers_that_lie(self):
        self.assert_refused("a.fbin", struct.pack("<II", 0xFFFFFFFF, 3) + b"\0" * 12, "row 1")
        self.assert_refused("a.fbin", struct.pack("<II", 1, 0), "dimension 0")
        self.assert_refused("a.fbin", struct.pack("<II", 1, 0xFFFFFFFF), "dimension 4294967295")
        self.assert_refused("a.fvecs", struct.pack("<i", -1), "dimension -1")
        self.assert_refused("a.fvecs", struct.pack("<i", 0), "dimension 0")
        self.assert_refused("a.u8bin", matrix([[1, 2, 3]], "B") + b"xx", "2 bytes follow")
        self.assert_refused("a.npy", b"not an array", "NUMPY")

    def test_not_a_number_and_infinity(self):
        for bad in (math.nan, math.inf, -math.inf):
            self.assert_refused("a.fbin", matrix([[1, 2, 3], [4, bad, 6]], "f"), '"1"', "rows 0 to 1")

    def test_zero_vector_under_cosine(self):
        self.assert_refused("a.fbin", matrix([[1, 2, 3], [0, 0, 0]], "f"), '"1"',
                            create=("--dim", "3", "--metric", "cosine"))

    def test_unknown_field(self):
        store = self.store()
        file = self.file("a.fbin", matrix([[1, 2, 3]], "f"))
        self.assert_fails("INVALID_ARGUMENT", ("import", store, file, "--field", "image"), '"image"')

    def test_sparse_files_are_not_built(self):
        store = self.store()
        self.assert_fails("UNIMPLEMENTED", ("import", store, self.file("a.csr", b"")), "sparse")

    def test_a_file_that_is_not_there(self):
        store = self.store()
        self.assert_fails("NOT_FOUND", ("import", store, self.path("none.fbin")), "none.fbin")
        self.assert_fails("INVALID_ARGUMENT", ("import", store, store, "--format", "fbin"), "directory")

    def test_rows_before_a_refused_batch_stay(self):
        store = self.store()
        file = self.file("a.fbin", matrix([[1, 2, 3]] * 4 + [[1, 2, math.nan]], "f"))

        self.assert_fails("INVALID_ARGUMENT", ("import", store, file, "--batch", "2"), "after 4 rows", "row", '"4"')

        self.assertEqual(self.count(store), 4)
