#!/usr/bin/env python3
"""Runs every command block of README.md, in order, in one shell from the repository's root, as a reader would.

A block is ```sh …; one with `<!-- not run: reason -->` on the line before it is left out. Where a plain ``` block
follows, each of its lines must be in the output, unless `<!-- varies -->` stands before it or the line is an ellipsis.
Exit code 1: a command failed, or printed something else.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^(?:<!-- (?P<note>[^\n]*) -->\n)?```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.M | re.S)
MARK = "=== end of block {} ==="


def blocks(text):
    """Yield (commands, expected lines) of each block that is to be run."""
    found = list(FENCE.finditer(text))
    for place, block in enumerate(found):
        if block["kind"] != "sh" or (block["note"] or "").startswith("not run:"):
            continue
        expected = []
        if place + 1 < len(found) and found[place + 1]["kind"] == "" and found[place + 1]["note"] != "varies":
            expected = [line for line in found[place + 1]["body"].splitlines() if line.strip() and line != "…"]
        yield block["body"], expected


def main():
    wanted = list(blocks((ROOT / "README.md").read_text(encoding="utf-8")))
    if not wanted:
        print("README.md has no command block to run", file=sys.stderr)
        return 1
    script = "\n".join(f"{body}\necho '{MARK.format(number)}'" for number, (body, _) in enumerate(wanted))
    shell = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=1200, check=False)
    rest, failures = shell.stdout, []
    for number, (body, expected) in enumerate(wanted):
        output, mark, rest = rest.partition(MARK.format(number))
        missing = [line for line in expected if line not in output]
        if not mark:
            failures.append(f"this block failed (exit code {shell.returncode}):\n{body}\nit printed:\n{output}")
            break
        if missing:
            failures.append(f"this block:\n{body}\ndid not print:\n" + "\n".join(missing) + f"\nbut:\n{output}")
    print("\n\n".join(failures) or f"README.md: {len(wanted)} command blocks ran and printed what they say")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
