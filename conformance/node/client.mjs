// The Node client: client.mjs PLAN LEDGER. Posts, checks the answers, and writes what must be stored.

import { readFileSync } from "node:fs";

import { CommonChecks } from "./commonChecks.mjs";
import { octokitExamples, payloadFiles } from "./payloads.mjs";
import { Report } from "./report.mjs";
import { senders } from "./senders.mjs";
import { Wire } from "./wire.mjs";

const GITHUB_SOURCES = ["github", "github-ruled"];

async function main(planFile, ledgerFile) {
  const plan = JSON.parse(readFileSync(planFile, "utf8"));
  const [report, wire, all] = [new Report(), new Wire(plan.listen), senders(plan.sources)];
  for (const sender of Object.values(all)) await new CommonChecks(sender, wire, report).run();
  for (const name of GITHUB_SOURCES) {
    await sendAll(octokitExamples(), new CommonChecks(all[name], wire, report), all[name]);
    await sendAll(payloadFiles(plan.payloads.github), new CommonChecks(all[name], wire, report), all[name]);
  }
  wire.close();
  report.writeLedger(ledgerFile);
  console.log(`${report.passed} passed, ${report.failed} failed`);
  return report.failed === 0 ? 0 : 1;
}

async function sendAll(payloads, checks, sender) {
  for (const { event, label, body } of payloads) {
    await checks.accept(label, await sender.deliver(body, { event }));
  }
}

process.exitCode = await main(...process.argv.slice(2));
