#!/usr/bin/env python3
"""Adds up what rounds of faults have shown.

  tally.py FILE [--commit COMMIT] [--markdown]

FILE has one JSON object a line, as the fault tests add it. Prints one line that says it all, and a table with a row for
each kind of fault. Exit code 1: something was lost, doubled, reordered or different, or a round did not come to its end.
Standard library only.
"""
import argparse
import json
import sys
from collections import defaultdict

WRONG = ("lost", "doubled", "reordered", "different")
COLUMNS = ("fault", "rounds", "events", *WRONG, "failed", "stall s")


def summary(rounds):
    """Return the sums over rounds, in the order of COLUMNS but for the name."""
    stalls = [line["stall"] for line in rounds if line.get("stall") is not None]
    failed = sum(1 for line in rounds if line.get("failure"))
    wrong = [sum(line[name] for line in rounds) for name in WRONG]
    return [len(rounds), sum(line["events"] for line in rounds), *wrong, failed, max(stalls, default=None)]


def cell(value):
    if value is None:
        return "-"
    return f"{value:.1f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value


def table(rows, markdown):
    rows = [[cell(value) for value in row] for row in rows]
    widths = [max(len(row[column]) for row in [COLUMNS, *rows]) for column in range(len(COLUMNS))]

    def line(row):
        cells = [row[0].ljust(widths[0])] + [value.rjust(width) for value, width in zip(row[1:], widths[1:])]
        return "| " + " | ".join(cells) + " |" if markdown else "  ".join(cells)

    rule = [["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]] if markdown else []
    return "\n".join(line(row) for row in [COLUMNS, *rule, *rows])


def report(lines):
    """Return the line that says it all."""
    kinds = defaultdict(int)
    for line in lines:
        kinds[line["fault"]] += 1
    single = {name: count for name, count in kinds.items() if " + " not in name}
    pairs = sum(count for name, count in kinds.items() if " + " in name)
    rounds, events, lost, doubled, reordered, different, failed, stall = summary(lines)
    counts = sorted(set(single.values()))
    times = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}" if counts else "0"
    text = f"{len(single)} faults × {times} rounds"
    if pairs:
        text += f", {pairs:,} random pairs"
    text += f", {events:,} events, {lost:,} lost, {doubled:,} doubled, {reordered:,} reordered"
    if different:
        text += f", {different:,} documents different"
    if failed:
        text += f", {failed:,} of {rounds:,} rounds failed"
    return f"{text}, longest stall {cell(stall)} s"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("file")
    p.add_argument("--commit", help="only rounds of this commit")
    p.add_argument("--markdown", action="store_true", help="the table as Markdown")
    a = p.parse_args()
    try:
        with open(a.file, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file if line.strip()]
    except (OSError, ValueError) as error:
        print(f"tally: {a.file}: {error}", file=sys.stderr)
        return 65
    lines = [line for line in lines if not a.commit or line.get("commit") == a.commit]
    if not lines:
        print(f"tally: {a.file} has no rounds", file=sys.stderr)
        return 65

    by_kind = defaultdict(list)
    for line in lines:
        by_kind["(random pairs)" if " + " in line["fault"] else line["fault"]].append(line)
    print(report(lines))
    print()
    print(table([[name, *summary(rounds)] for name, rounds in sorted(by_kind.items())], a.markdown))
    bad = [line for line in lines if line.get("failure") or any(line[name] for name in WRONG)]
    for line in bad:
        wrong = ", ".join(f"{line[name]} {name}" for name in WRONG if line[name])
        print(f"\n{line['fault']}, round {line['round']}, MILLRACE_SEED={line['seed']}: {line.get('failure') or wrong}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
