"""Runs a client process and reads its verdict."""

import re
import subprocess
from pathlib import Path

SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed$")


def run_client(name: str, command: list[str], folder: Path) -> tuple[int, int]:
    """Prints what the client prints, save its closing line, which is returned as (passed, failed).

    A client that dies before its closing line counts as one failure. It cannot hang: each of its
    requests has a timeout.
    """
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    summary = None
    for line in process.stdout:
        summary = SUMMARY.match(line)
        if summary is None:
            print(line, end="", flush=True)
    code = process.wait()
    if summary is None:
        print(f"FAIL  {name}: the client ended with exit code {code} and without a summary")
        return 0, 1
    return int(summary[1]), int(summary[2])
