"""varve repair."""

import os

from harness import VarveTest, random_vectors, vecs


class RepairTest(VarveTest):
    def damaged(self):
        store = self.store()
        self.varve("import", store, self.file("a.fvecs", vecs(random_vectors(20, 3, seed=1), "f")))
        self.varve("flush", store)
        self.write(store, [{"op": "put", "key": "new", "vector": [1, 2, 3]}])
        segment = self.path("store/segments/" + os.listdir(os.path.join(store, "segments"))[0])
        with open(os.path.join(store, "segments", os.path.basename(segment)), "r+b") as file:
            file.seek(70)
            byte = file.read(1)[0]
            file.seek(70)
            file.write(bytes([byte ^ 1]))
        return store

    def test_what_is_good_is_kept_and_the_account_says_what(self):
        store = self.damaged()

        document = self.json("repair", store, "--to", self.path("new"))

        self.assertEqual(document["rows"], 1)
        files = {file["file"].split("/")[0]: file for file in document["recovery"]["salvaged"]}
        self.assertEqual(files["segments"]["rows_dropped"], 20)
        self.assertEqual(files["wal"]["rows_kept"], 1)
        self.assertEqual(len(document["recovery"]["salvage_report"]), 1)
        self.assertTrue(self.json("verify", self.path("new"))["ok"])
        self.assertEqual([record["key"] for record in self.scan(self.path("new"))], ["new"])
        self.write(self.path("new"), [{"op": "put", "key": "later", "vector": [1, 2, 3]}])
        self.assertIn("20", self.varve("repair", store, "--to", self.path("again")))

    def test_a_place_that_is_taken_is_refused(self):
        store = self.damaged()
        self.assert_fails("ALREADY_EXISTS", ("repair", store, "--to", store), "not empty")
        self.assert_fails("NOT_FOUND", ("repair", self.path("none"), "--to", self.path("new")), "none")

    def test_nothing_that_is_in_the_way_is_removed(self):
        store = self.damaged()
        for suffix in (".salvage", ".tmp"):
            taken = self.path("new" + suffix)
            os.rename(store, taken)
            self.assert_fails("ALREADY_EXISTS", ("repair", taken, "--to", self.path("new")), "on the way")
            self.assertTrue(os.path.exists(os.path.join(taken, "manifest.json")))
            os.rename(taken, store)
        self.assert_fails("INVALID_ARGUMENT", ("repair", store, "--to", os.path.join(store, "new")), "within")
