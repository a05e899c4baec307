"""varve metrics: Prometheus text, and the same numbers as JSON."""

import re

from harness import VarveTest

SAMPLE = re.compile(r'([a-z_]+)\{collection="store"((?:,[a-z]+="[^"]*")*)\} ([0-9.]+)')


class MetricsTest(VarveTest):
    def filled(self):
        store = self.store()
        self.write(store, [{"op": "put", "key": f"k{n}", "vector": [n, n, n]} for n in range(1, 11)])
        self.varve("flush", store)
        self.write(store, [{"op": "put", "key": "k1", "vector": [5, 5, 5]}])
        return store

    def samples(self, text):
        """Values by name and labels; every line must be a comment or a sample."""
        values = {}
        for line in text.splitlines():
            if re.fullmatch(r"# (HELP|TYPE) varve_[a-z_]+ .*", line):
                continue
            match = SAMPLE.fullmatch(line)
            self.assertTrue(match, line)
            self.assertNotIn(match[1] + match[2], values)
            values[match[1] + match[2]] = float(match[3].replace("+Inf", "inf"))
        return values

    def test_prints_what_is_held(self):
        store = self.filled()

        text = self.varve("metrics", store)

        self.assertTrue(text.startswith("# HELP varve_"))
        self.assertFalse(text.endswith("\n\n"))
        values = self.samples(text)
        info = self.json("info", store)
        self.assertEqual(values["varve_live_vectors"], 10)
        self.assertEqual(values["varve_deleted_vectors"], info["dead_rows"])
        self.assertEqual(values['varve_segments,state="live"'], len(info["segments"]))
        self.assertEqual(values["varve_disk_bytes"], info["disk_bytes"])
        self.assertEqual(values['varve_writes_total,op="put"'], 0)
        self.assertIn('varve_open_seconds,phase="segments"', values)

    def test_json_has_the_same_numbers(self):
        store = self.filled()
        values = self.samples(self.varve("metrics", store))

        document = self.json("metrics", store)

        self.assertEqual(document["collection"], "store")
        for name, samples in document["metrics"].items():
            for sample in samples:
                labels = "".join(f',{label}="{value}"' for label, value in sample["labels"].items())
                if "buckets" in sample:
                    self.assertEqual(sample["count"], sample["buckets"][-1]["count"])
                    self.assertIsNone(sample["buckets"][-1]["le"])
                    self.assertIn(f"{name}_count{labels}", values)
                elif name != "varve_open_seconds":
                    self.assertEqual(sample["value"], values.pop(name + labels))
        left = [name for name in values if not re.search("_(bucket|sum|count),|_(sum|count)$|open_seconds", name)]
        self.assertEqual(left, [])

    def test_writes_nothing(self):
        store = self.filled()
        before = self.json("info", store)
        self.varve("metrics", store)
        self.assertEqual(self.json("info", store)["manifest"], before["manifest"])

    def test_refuses_what_is_no_collection(self):
        self.assert_fails("NOT_FOUND", ("metrics", self.path("nowhere")), "nowhere")
        self.assert_usage("metrics")
