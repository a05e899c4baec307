"""varve create, version, and the command line itself."""

import json
import subprocess

from harness import VARVE, VarveTest

COMMANDS = ("create", "import", "write", "get", "search", "ground-truth", "flush", "merge", "checkpoint", "info",
            "verify", "dump", "scan", "count", "delete", "backup", "restore", "export", "list", "drop", "metrics",
            "version")
LATER_COMMANDS = ("bench", "estimate", "recall", "schema")


class CreateTest(VarveTest):
    def test_prints_the_schema(self):
        document = self.json("create", self.path("s"), "--dim", "784", "--metric", "cosine", "--type", "f16", "--index",
                             "hnsw", "--param", "m=24", "--param", "ef_construction=300")

        (field,) = document["schema"]["fields"]
        self.assertEqual((field["name"], field["kind"], field["dimension"]), ("vector", "dense", 784))
        self.assertEqual((field["metric"], field["element"], field["index"]), ("cosine", "f16", "hnsw"))
        self.assertEqual(field["compression"], "none")
        self.assertEqual(field["params"], {"m": 24, "ef_construction": 300})

    def test_has_the_documented_defaults(self):
        (field,) = self.json("create", self.path("s"), "--dim", "5")["schema"]["fields"]

        self.assertEqual((field["metric"], field["element"], field["index"], field["compression"]),
                         ("l2", "f32", "auto", "none"))

    def test_presets_set_parameters_that_param_overrides(self):
        (field,) = self.json("create", self.path("s"), "--dim", "5", "--preset", "high_recall", "--param",
                             "ef=99")["schema"]["fields"]

        self.assertEqual(field["params"], {"m": 32, "ef_construction": 400, "ef": 99})

    def test_reads_a_schema_file(self):
        schema = {"fields": [{"name": "title", "dimension": 4, "metric": "ip"},
                             {"name": "image", "kind": "dense", "dimension": 64, "metric": "hamming", "element": "bits",
                              "index": "flat"}],
                  "sync": "every:100"}
        file = self.file("schema.json", json.dumps(schema).encode())

        document = self.json("create", self.path("s"), "--schema", file)

        self.assertEqual([field["name"] for field in document["schema"]["fields"]], ["title", "image"])
        self.assertEqual(document["schema"]["sync"], "every:100")
        self.assertEqual(self.json("info", self.path("s"))["schema"], document["schema"])

    def test_says_what_is_wrong_with_a_schema_file(self):
        self.assert_fails("NOT_FOUND", ("create", self.path("s"), "--schema", self.path("none.json")), "none.json")
        file = self.file("schema.json", b'{"fields":[{"name":"a","dimension":4,"metrik":"l2"}]}')
        self.assert_fails("INVALID_ARGUMENT", ("create", self.path("s"), "--schema", file), "schema.json", "field 1",
                          "metrik")
        file = self.file("schema.json", b'{"fields":[{"name":"body","kind":"text"}]}')
        self.assert_fails("UNIMPLEMENTED", ("create", self.path("s"), "--schema", file), "schema.json", "text")

    def test_refuses_a_directory_that_holds_a_collection(self):
        store = self.store()

        self.assert_fails("ALREADY_EXISTS", ("create", store, "--dim", "3"), store)

    def test_refuses_dimensions_over_the_limit(self):
        self.assert_fails("INVALID_ARGUMENT", ("create", self.path("s"), "--dim", "0"), "1 to 65535")
        self.assert_fails("INVALID_ARGUMENT", ("create", self.path("s"), "--dim", "65536"), "65536", "1 to 65535")
        self.json("create", self.path("s"), "--dim", "65535")

    def test_refuses_by_name_what_later_versions_build(self):
        for name in ("ivf_pq", "diskann", "scann", "sng"):
            self.assert_fails("UNIMPLEMENTED", ("create", self.path("s"), "--dim", "8", "--index", name), name.upper())
        for name in ("sq8", "sq4", "pq", "pq4", "binary", "rabitq", "turbo2"):
            self.assert_fails("UNIMPLEMENTED", ("create", self.path("s"), "--dim", "8", "--compression", name))

    def test_refuses_unknown_parameters(self):
        self.assert_fails("INVALID_ARGUMENT", ("create", self.path("s"), "--dim", "8", "--index", "hnsw", "--param",
                                               "depth=3"), "depth")

    def test_refuses_wrong_usage(self):
        store = self.path("s")
        self.assert_usage("create", store)
        self.assert_usage("create")
        self.assert_usage("create", store, "--dim", "three")
        self.assert_usage("create", store, "--dim", "-3")
        self.assert_usage("create", store, "--dim", "3", "--metric", "l3")
        self.assert_usage("create", store, "--dim", "3", "--param", "m")
        self.assert_usage("create", store, "--dim", "3", "--schema", self.file("schema.json", b"{}"))
        self.assert_usage("create", store, "--dim", "3", "--unknown")


class CommandLineTest(VarveTest):
    def test_every_command_has_help_with_an_example(self):
        for command in COMMANDS:
            help_text = self.varve(command, "--help")
            self.assertRegex(help_text, f"Example: .*varve {command}")
            for option in ("--json", "--memory", "--threads", "--verify-checksums", "--seed"):
                self.assertIn(option, help_text, command)
            self.assertIn(command, self.varve("--help"))

    def test_wrong_usage_is_2(self):
        self.assert_usage()
        self.assert_usage("frobnicate")
        self.assert_usage("count")
        self.assert_usage("count", "a", "b")
        self.assert_usage("count", "a", "--memory", "much")
        self.assert_usage("count", "a", "--threads", "0")
        self.assert_usage("count", "a", "--verify-checksums", "sometimes")

    def test_common_options_are_taken_by_every_command(self):
        store = self.store()
        options = ("--json", "--memory", "64MB", "--threads", "1", "--verify-checksums", "open", "--seed", "7")
        for command in ("count", "flush", "merge", "checkpoint", "info", "verify"):
            json.loads(self.varve(command, store, *options))

    def test_later_commands_are_named(self):
        for command in LATER_COMMANDS:
            self.assert_fails("UNIMPLEMENTED", (command, self.path("s"), "--rows", "5"), command)

    def test_version_tells_what_is_built(self):
        document = self.json("version")

        self.assertEqual(document["format_version"], 1)
        self.assertIn("HNSW", document["index_types"])
        self.assertIn("FLAT", document["index_types"])
        self.assertIn("NONE", document["codecs"])
        self.assertIn(document["instruction_set"], document["instruction_sets"])
        self.assertRegex(document["version"], r"^\d+\.\d+\.\d+$")
        self.assertIn(document["version"], self.varve("version"))

    def test_a_full_disk_at_stdout_is_told(self):
        with open("/dev/full", "wb") as full:
            result = subprocess.run([VARVE, "version"], stdout=full, stderr=subprocess.PIPE, timeout=60)

        self.assertEqual(result.returncode, 1)
        self.assertTrue(result.stderr.startswith(b"varve: RESOURCE_EXHAUSTED: "), result.stderr)
