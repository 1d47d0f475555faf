# Judges pairs of a schema and an answer, one pair a line, by jsonschema. See second_validator.sh.
import datetime
import decimal
import json
import re
import sys

from jsonschema import Draft202012Validator, FormatChecker, validators

# Numbers are as exact as they are written, and 1.0 is an integer, as the draft says.
decimal.getcontext().prec = 4000


def read(text):
    return json.loads(text, parse_float=decimal.Decimal, object_pairs_hook=members)


def members(pairs):
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError("a name comes twice")
    return dict(pairs)


def is_integer(_, value):
    if isinstance(value, decimal.Decimal):
        return value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)


Exact = validators.extend(
    Draft202012Validator, type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", is_integer))

formats = FormatChecker(["date", "uuid", "ipv4", "ipv6"])


# What jsonschema calls a time by itself is draft 3's. Python's own parser knows no second 60.
@formats.checks("time", raises=ValueError)
def is_time(text):
    return not isinstance(text, str) or bool(re.search("(z|[+-][0-9]{2}:[0-9]{2})$", text, re.I)) and bool(
        datetime.time.fromisoformat(re.sub("^(..:..):60", r"\1:59", text.upper())).tzinfo)


@formats.checks("date-time", raises=ValueError)
def is_date_time(text):
    return not isinstance(text, str) or text[10:11] in "tT" and is_time(text[11:]) and bool(datetime.date.fromisoformat(text[:10]))


pairs = wrong = 0
for line in open(sys.argv[1], encoding="utf-8"):
    pair = json.loads(line)
    pairs += 1
    try:
        schema = read(pair["schema"])
        Exact.check_schema(schema)
        errors = [e.message for e in Exact(schema, format_checker=formats).iter_errors(read(pair["answer"]))]
    except ValueError as error:
        errors = [str(error)]
    if errors:
        wrong += 1
        print("FAILED", pair["schema"], pair["answer"], errors[0], sep="\n  ")
print(f"{pairs} answers, {wrong} of them refused by the second validator")
sys.exit(1 if wrong or pairs < 900 else 0)
