#!/usr/bin/env python3
"""Says which instances JSON Schemas take. Standard input: {"schemas": {name: schema}, "instances": [[name, instance], …]};
standard output: a list of true and of the reasons why not, in the same order. jsonschema comes from .local/python."""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / ".local/python"))
from jsonschema import Draft7Validator  # noqa: E402


# Instances are nested as deeply as the readers take them, and each level is several calls.
sys.setrecursionlimit(50_000)


def main():
    asked = json.load(sys.stdin)
    validators = {}
    for name, schema in asked["schemas"].items():
        Draft7Validator.check_schema(schema)
        validators[name] = Draft7Validator(schema)
    answers = []
    for name, instance in asked["instances"]:
        error = next(validators[name].iter_errors(instance), None)
        answers.append(True if error is None else f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}")
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
