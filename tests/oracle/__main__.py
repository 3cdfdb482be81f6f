# SPDX-License-Identifier: GPL-2.0-only
"""python3 -m oracle DIR: judges a result folder. Exit 0: all agrees, 1: it does not, 2: it cannot be judged."""

import os
import sys

from .verify import Verification


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python3 -m oracle DIR", file=sys.stderr)
        return 2
    try:
        verification = Verification(arguments[0])
        findings = verification.run()
    except Exception as error:  # whatever is in the files; 1 would say that they disagree
        print(f"oracle: {arguments[0]} cannot be judged: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    for finding in findings:
        print(finding)
    records = verification.truth_records
    packets, octets = sum(r.packets for r in records), sum(r.octets for r in records)
    print(
        f"oracle: {packets} packets, {octets} octets, {len(records)} records in truth; "
        f"{sum(verification.captured.values())} records at the collectors; {len(findings)} disagreements"
    )
    if not findings and not records:
        print(f"oracle: {arguments[0]}: nothing was metered, so nothing is proved", file=sys.stderr)
        return 2
    return 1 if findings else 0


def checked(arguments: list[str]) -> int:
    """The exit code if all that was printed is written; else 2, and 141 if nobody reads it any more."""
    try:
        code = main(arguments)
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is buffered still must not fail again at the end
        if isinstance(error, BrokenPipeError):
            return 141
        print(f"oracle: standard output cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    return code


if __name__ == "__main__":
    sys.exit(checked(sys.argv[1:]))
