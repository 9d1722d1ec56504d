"""The Python client: client.py PLAN LEDGER. Posts, checks the answers, and writes what must be stored."""

import json
import sys
from pathlib import Path

from common_checks import CommonChecks
from listener_checks import ListenerChecks
from report import Report
from senders import senders
from slack_checks import SlackChecks
from standard_checks import StandardChecks
from stripe_checks import StripeChecks
from wire import Wire


def main(plan_file: str, ledger_file: str) -> int:
    """Runs every group of checks; 1 when one failed."""
    plan = json.loads(Path(plan_file).read_text())
    report = Report()
    group = (senders(plan["sources"]), Wire(plan["listen"]), report)
    CommonChecks(*group).run()
    StripeChecks(*group).run([Path(file) for file in plan["payloads"]["stripe"]])
    StandardChecks(*group).run()
    SlackChecks(*group).run()
    ListenerChecks(*group, plan["max_body_bytes"]).run()
    report.write_ledger(Path(ledger_file))
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
