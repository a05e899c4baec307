#!/bin/sh
# Runs the program of the README in a new directory and compares what it prints.
#   run_example.sh PROGRAM EXPECTED
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
printed=$("$1" "$directory/things")
if [ "$printed" != "$2" ]; then
  echo "printed: $printed"
  echo "expected: $2"
  exit 1
fi
