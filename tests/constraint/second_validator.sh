#!/usr/bin/env bash
# Has a validator that shares no code with dsvl judge answers to random schemas: Debian's python3-jsonschema.
#   tests/constraint/second_validator.sh TEST_CONSTRAINT
# The program's test of random logits writes its schemas and answers; each line is one of both.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if ! python3 -c 'from jsonschema import Draft202012Validator' 2>/dev/null; then
  echo "SKIPPED: python3-jsonschema is not here, so no second validator judged the answers to random schemas"
  exit 0
fi
answers=$(mktemp)
trap 'rm -f "$answers"' EXIT
DSVL_WRITE_ANSWERS=$answers "$1" --test-case="answers drawn from random logits*"
python3 tests/constraint/second_validator.py "$answers"
