// Counts checks, prints one line for each, and keeps the ledger of what must be stored.

import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";

import { faultsOf, jsonOf } from "./wire.mjs";

/** One client's checks and ledger. */
export class Report {
  passed = 0;
  failed = 0;
  #accepted = [];
  #quarantined = {};

  /** Prints one line, and one more for each fault. */
  check(name, faults) {
    if (faults.length === 0) {
      this.passed += 1;
      console.log(`ok    node    ${name}`);
      return;
    }
    this.failed += 1;
    console.log(`FAIL  node    ${name}`);
    for (const fault of faults) console.log(`        ${fault}`);
  }

  /** A 200 `accepted`; returns the event's id and remembers what the store must hold. */
  accepted(name, delivery, exchange) {
    const answer = jsonOf(exchange);
    const faults = answerFaults(exchange, "accepted");
    if (faults.length === 0) this.#accepted.push(entry(delivery, exchange, answer.id));
    this.check(name, faults);
    return answer.id;
  }

  /** A 200 `duplicate` that names the first event. */
  duplicate(name, firstId, exchange) {
    const faults = answerFaults(exchange, "duplicate");
    const { id } = jsonOf(exchange);
    if (faults.length === 0 && id !== firstId) faults.push(`id is ${id}, the first one was ${firstId}`);
    this.check(name, faults);
  }

  /** A 401. */
  refused(name, exchange) {
    this.check(name, faultsOf(exchange, 401));
  }

  /** An answer of this status, for an event that is kept in quarantine. */
  quarantined(name, source, exchange, status) {
    this.#quarantined[source] = (this.#quarantined[source] ?? 0) + 1;
    this.check(name, faultsOf(exchange, status));
  }

  /** For the audit: what must be in the store. */
  writeLedger(file) {
    writeFileSync(file, JSON.stringify({ accepted: this.#accepted, quarantined: this.#quarantined }));
  }
}

function answerFaults(exchange, word) {
  const faults = faultsOf(exchange, 200);
  const { status } = jsonOf(exchange);
  if (faults.length === 0 && status !== word) faults.push(`status is ${status}, expected ${word}`);
  return faults;
}

function entry(delivery, exchange, id) {
  return {
    id,
    source: delivery.source,
    type: delivery.type,
    external_id: delivery.externalId,
    sha256: createHash("sha256").update(delivery.body).digest("hex"),
    trace_id: exchange.traceId,
    record: delivery.record,
  };
}
