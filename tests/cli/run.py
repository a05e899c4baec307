#!/usr/bin/env python3
"""Runs the tests of the `varve` command: run.py VARVE [--gtest_output=xml:FILE] [PATTERN]

Takes GoogleTest's option and writes its form of results, so that Meson counts every case. Ends with one line
`N passed, N failed`; exits with 1 if any failed."""

import os
import sys
import time
import unittest
import xml.etree.ElementTree as ElementTree

OUTPUT_OPTION = "--gtest_output=xml:"


class TimedResult(unittest.TextTestResult):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.seconds = {}
        self.started = 0

    def startTest(self, test):
        self.started = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        self.seconds[test.id()] = time.monotonic() - self.started
        super().stopTest(test)


def write_xml(path, result):
    """Suites are the test classes, cases their methods."""
    failures = {test.id(): text for test, text in [*result.failures, *result.errors]}
    root = ElementTree.Element("testsuites")
    suites = {}
    for name, seconds in result.seconds.items():
        group, case = name.split(".")[-2:]
        if group not in suites:
            suites[group] = ElementTree.SubElement(root, "testsuite", name=group)
        element = ElementTree.SubElement(suites[group], "testcase", name=case, classname=group, status="run",
                                         result="completed", time=f"{seconds:.3f}")
        if name in failures:
            ElementTree.SubElement(element, "failure", message=failures[name]).text = failures[name]
    for suite in suites.values():
        cases = list(suite)
        failed = sum(case.find("failure") is not None for case in cases)
        suite.attrib.update(tests=str(len(cases)), failures=str(failed), errors="0", disabled="0", skipped="0",
                            time=f"{sum(float(case.get('time')) for case in cases):.3f}")
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def main():
    options = [argument for argument in sys.argv[1:] if argument.startswith(OUTPUT_OPTION)]
    others = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    if not others:
        sys.exit(__doc__)
    os.environ["VARVE"] = os.path.abspath(others[0])
    directory = os.path.dirname(os.path.abspath(__file__))
    sys.dont_write_bytecode = True
    loader = unittest.TestLoader()
    if len(others) > 1:
        loader.testNamePatterns = [f"*{others[1]}*"]
    tests = loader.discover(directory, pattern="*_test.py")
    result = unittest.TextTestRunner(verbosity=2, resultclass=TimedResult).run(tests)
    if options:
        write_xml(options[-1][len(OUTPUT_OPTION):], result)
    failed = len(result.failures) + len(result.errors)
    sys.stderr.flush()
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 1 if failed or result.testsRun == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
