#!/usr/bin/env python3
"""Conformance: the providers' official SDKs sign, a real Tidegate judges, the admin API is the witness.

For example: run.py --binary target/debug/tidegate --work target/conformance
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from harness.audit import Api, Audit
from harness.clients import run_client
from harness.installing import install_node, install_python
from harness.plan import Plan, ed25519_with
from harness.server import Server, ServerFailed

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
DEFAULT_PAYLOADS = REPOSITORY.parent / "shared" / "data" / "payloads"
SHOWN_LOG_LINES = 40


def main() -> int:
    """Installs, starts the server, runs both clients, reads everything back, stops the server."""
    options = _options()
    _require_tools(options.binary)
    options.work.mkdir(parents=True, exist_ok=True)
    python = install_python(HERE / "python", options.work)
    node = install_node(HERE / "node", options.work)
    with tempfile.TemporaryDirectory(prefix="tidegate-conformance-") as folder:
        try:
            passed, failed = _run(options, python, node, Path(folder))
        except ServerFailed as error:
            print(f"FAIL  the server did not start: {error}")
            passed, failed = 0, 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, required=True, help="the tidegate binary to test")
    parser.add_argument("--work", type=Path, required=True, help="where the SDKs are installed and reused")
    parser.add_argument(
        "--payloads",
        type=Path,
        help="folder with stripe/*.json and github/*.json to send as well "
        "(default: ../shared/data/payloads beside the repository, if it is there)",
    )
    options = parser.parse_args()
    options.binary = options.binary.resolve()
    options.work = options.work.resolve()
    if options.payloads and not options.payloads.is_dir():
        parser.error(f"there is no folder {options.payloads}")
    return options


def _require_tools(binary: Path) -> None:
    if not binary.is_file():
        sys.exit(f"there is no binary at {binary}; build it with `cargo build -p tidegate`")
    for tool in ["node", "npm"]:
        if shutil.which(tool) is None:
            sys.exit(f"`{tool}` is needed and not on the PATH")


def _run(options: argparse.Namespace, python: Path, node: Path, folder: Path) -> tuple[int, int]:
    plan = Plan(folder, REPOSITORY, ed25519_with(python, HERE / "python" / "keypairs.py"))
    server = Server(options.binary, plan.config, plan.environment)
    print(f"serving on {server.listen}, admin on {server.admin_listen}")
    try:
        plan_file = folder / "plan.json"
        plan_file.write_text(plan.for_clients(server.listen, _payloads(options.payloads)))
        commands = {
            "python": [str(python), str(HERE / "python" / "client.py")],
            "node": ["node", str(node / "client.mjs")],
        }
        passed, failed, ledgers = _run_clients(commands, plan_file, folder)
        audit = Audit(Api(server.admin_listen, plan.admin_token), ledgers)
        audit.run()
    finally:
        stopped = server.stop()
    print(f"FAIL  server: {stopped}" if stopped else "ok    server  SIGTERM ends it with exit code 0")
    passed, failed = passed + audit.passed, failed + audit.failed + bool(stopped)
    if failed:
        print("warnings and errors in the server's log:")
        print(*server.complaints()[-SHOWN_LOG_LINES:] or ["none"], sep="\n")
    return passed + (not stopped), failed


def _payloads(chosen: Path | None) -> dict[str, list[str]]:
    """The files to send, by provider."""
    folder = (chosen or DEFAULT_PAYLOADS).resolve()
    if not folder.is_dir():
        print("skipped: the payload files, because ../shared/data/payloads is not there (see --payloads)")
    return {
        name: [str(file) for file in sorted(folder.glob(f"{name}/*.json"))] for name in ["stripe", "github"]
    }


def _run_clients(
    commands: dict[str, list[str]], plan_file: Path, folder: Path
) -> tuple[int, int, list[dict]]:
    passed, failed, ledgers = 0, 0, []
    for name, command in commands.items():
        started = time.monotonic()
        ledger = folder / f"{name}.ledger.json"
        client_passed, client_failed = run_client(name, [*command, str(plan_file), str(ledger)], folder)
        print(f"{name} client: {client_passed + client_failed} checks in {time.monotonic() - started:.1f} s")
        passed, failed = passed + client_passed, failed + client_failed
        if ledger.is_file():
            ledgers.append(json.loads(ledger.read_text()))
    return passed, failed, ledgers


if __name__ == "__main__":
    sys.exit(main())
