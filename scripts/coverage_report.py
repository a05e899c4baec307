#!/usr/bin/env python3
"""Prints what share of the lines of each folder a run has executed, and the other lines of each file.

    scripts/coverage_report.py BUILD FOLDER...

Asks gcov about every object of the build directory; a line that several objects have counts once, with the runs of all.
Tests and generated files are left out."""

import collections
import json
import os
import subprocess
import sys

TEST_ENDINGS = ("_test.cc", "_test_support.h", "_test_support.cc", "_fixture.h")
OBJECTS_PER_CALL = 40


def read_counts(build, root):
    """path within the root -> line -> runs."""
    notes = [os.path.join(at, name) for at, _, names in os.walk(build) for name in names if name.endswith(".gcda")]
    counts = collections.defaultdict(lambda: collections.defaultdict(int))
    for start in range(0, len(notes), OBJECTS_PER_CALL):
        command = ["gcov", "--json-format", "--stdout", *notes[start:start + OBJECTS_PER_CALL]]
        output = subprocess.run(command, cwd=build, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
        for document in output.splitlines():
            for entry in json.loads(document)["files"]:
                path = os.path.relpath(os.path.realpath(os.path.join(build, entry["file"])), root)
                lines = counts[path]
                for line in entry["lines"]:
                    lines[line["line_number"]] += line["count"]
    return counts


def ranges(numbers):
    """[1, 2, 3, 7] -> "1-3 7"."""
    runs = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return " ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def main(build, folders):
    root = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    counts = {path: lines for path, lines in read_counts(os.path.realpath(build), root).items()
              if not path.startswith(("..", "build", "tests")) and not path.endswith(TEST_ENDINGS)}
    if not counts:
        sys.exit(f"no counts in {build}: was it built with -Db_coverage=true, and run?")
    by_folder = collections.defaultdict(lambda: [0, 0])
    for path, lines in counts.items():
        total = by_folder[path.split(os.sep)[0]]
        total[0] += sum(1 for runs in lines.values() if runs > 0)
        total[1] += len(lines)
    for folder in folders:
        print(f"\n{folder}/: lines that were not run")
        for path, lines in sorted(counts.items()):
            missed = sorted(number for number, runs in lines.items() if runs == 0)
            if path.startswith(folder + os.sep) and missed:
                print(f"  {path} ({len(missed)} of {len(lines)}): {ranges(missed)}")
    print()
    for folder, (run, total) in sorted(by_folder.items()):
        print(f"{folder + '/':14} {100 * run / total:6.1f} %   {run} of {total} lines")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
