#!/usr/bin/env python3
"""Counts the cases of the last `meson test` in a build directory, names those that failed or were skipped, and ends with
the line `N passed, N failed[, N skipped]`. Exits with 1 if any failed or none ran.

GoogleTest programs count by their cases, other tests as one each. A program that failed without a failed case (it
crashed, ran out of time, or a sanitizer stopped it) counts as one failure more."""

import json
import os
import sys
import xml.etree.ElementTree as ElementTree

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
OUTCOMES = {"OK": PASSED, "EXPECTEDFAIL": PASSED, "SKIP": SKIPPED}


def read_cases(path):
    """The GoogleTest cases of each Meson test: name -> [(case, outcome, message)]."""
    cases = {}
    if not os.path.exists(path):
        return cases
    for suite in ElementTree.parse(path).getroot().findall("testsuite"):
        # "PROJECT.TEST.SUITE" for GoogleTest, where TEST is as in testlog.json; else "PROJECT" alone.
        test, dot, group = suite.get("name", "").partition(".")[2].rpartition(".")
        if not dot:
            continue
        for case in suite.findall("testcase"):
            name = f"{group}.{case.get('name')}"
            skipped = case.find("skipped")
            message = ""
            if case.find("failure") is not None or case.find("error") is not None:
                outcome = FAILED
            elif skipped is not None:
                outcome, message = SKIPPED, skipped.get("message") or skipped.text or ""
            elif case.get("status") == "notrun":
                outcome, message = SKIPPED, "disabled"
            else:
                outcome = PASSED
            cases.setdefault(test, []).append((name, outcome, " ".join(message.split())))
    return cases


def main():
    logs = os.path.join(sys.argv[1], "meson-logs")
    cases = read_cases(os.path.join(logs, "testlog.junit.xml"))
    counts = {PASSED: 0, FAILED: 0, SKIPPED: 0}
    notes = []
    log = os.path.join(logs, "testlog.json")
    tests = []
    if os.path.exists(log):
        with open(log, encoding="utf-8", errors="replace") as lines:
            tests = [json.loads(line) for line in lines]
    for test in tests:
        outcome = OUTCOMES.get(test["result"], FAILED)
        found = cases.get(test["name"], [])
        name = test["name"].split(" / ")[-1]  # "PROJECT:SUITES / NAME"
        for case, case_outcome, message in found:
            counts[case_outcome] += 1
            if case_outcome != PASSED:
                notes.append(f"{case_outcome}: {name}: {case}" + (f": {message}" if message else ""))
        if not found:
            counts[outcome] += 1
        elif outcome == FAILED and all(case_outcome != FAILED for _, case_outcome, _ in found):
            counts[FAILED] += 1
        else:
            continue
        if outcome != PASSED:
            notes.append(f"{outcome}: {name}: {test['result']}, exit status {test['returncode']}")
    for note in notes:
        print(note)
    total = f"{counts[PASSED]} passed, {counts[FAILED]} failed"
    print(total + (f", {counts[SKIPPED]} skipped" if counts[SKIPPED] else ""))
    return 1 if counts[FAILED] or not counts[PASSED] else 0


if __name__ == "__main__":
    sys.exit(main())
