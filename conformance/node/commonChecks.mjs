// What holds for every provider, asked by the Node SDKs.

// Both are well away from the limit of 300 s, so that a slow machine does not change the outcome.
const WITHIN_TOLERANCE_S = 200;
const BEYOND_TOLERANCE_S = 400;

const SPELLINGS = {
  "tabs and CRLF": (document) => `${JSON.stringify(document, null, "\t").replaceAll("\n", "\r\n")}\r\n`,
  "beyond ASCII as escapes": (document) =>
    JSON.stringify(document).replace(/[^\x20-\x7e]/g, (unit) => `\\u${hex(unit)}`),
  "escaped slashes": (document) => JSON.stringify(document).replaceAll("/", "\\/"),
};

/** The checks of one sender. */
export class CommonChecks {
  #sender;
  #wire;
  #report;

  constructor(sender, wire, report) {
    this.#sender = sender;
    this.#wire = wire;
    this.#report = report;
  }

  /** All of them. */
  async run() {
    await this.#acceptedOnce();
    await this.#forgeries();
    await this.#rotation();
    if (this.#sender.hasTimestamp) await this.#times();
    await this.#spellings();
    await this.accept("chunked", await this.#fresh(), { chunked: true });
    await this.accept("gzip, signed before", await this.#fresh(), { gzipped: true });
    await this.#malformed();
  }

  /** Sends it and expects it to be stored. */
  async accept(what, delivery, framing) {
    return this.#report.accepted(this.#named(what), delivery, await this.#post(delivery, framing));
  }

  async #refuse(what, delivery) {
    this.#report.refused(this.#named(what), await this.#post(delivery));
  }

  async #acceptedOnce() {
    const id = this.#sender.newId();
    const body = JSON.stringify(this.#sender.document(id));
    const delivery = await this.#sender.deliver(body, { id });
    const stored = await this.accept("a signed event", delivery);
    const again = await this.#post(delivery);
    this.#report.duplicate(this.#named("the same request again"), stored, again);
    const anew = await this.#post(await this.#sender.deliver(body, { id, secret: this.#sender.secrets[1] }));
    this.#report.duplicate(this.#named("the same event, signed anew"), stored, anew);
  }

  async #forgeries() {
    const good = await this.#fresh();
    const longer = Buffer.concat([good.body, Buffer.from(" ")]);
    await this.#refuse("one blank more at the end", { ...good, body: longer });
    const changed = Buffer.from(good.body.toString().replace("K", "k"));
    await this.#refuse("one letter changed", { ...good, body: changed });
    const stranger = await this.#fresh({ secret: this.#sender.wrongSecret });
    await this.#refuse("a stranger's secret", stranger);
    const { [this.#sender.signatureHeader]: _, ...unsigned } = good.headers;
    await this.#refuse("no signature", { ...good, headers: unsigned });
    await this.accept("the untouched request after all these", good);
  }

  async #rotation() {
    for (const [index, secret] of this.#sender.secrets.entries()) {
      await this.accept(`configured secret ${index + 1}`, await this.#fresh({ secret }));
    }
  }

  async #times() {
    const now = Math.floor(Date.now() / 1000);
    await this.accept("signed a while ago", await this.#fresh({ at: now - WITHIN_TOLERANCE_S }));
    await this.#refuse("signed too far in the future", await this.#fresh({ at: now + BEYOND_TOLERANCE_S }));
  }

  async #spellings() {
    for (const [what, spell] of Object.entries(SPELLINGS)) {
      const id = this.#sender.newId();
      const delivery = await this.#sender.deliver(spell(this.#sender.document(id)), { id });
      await this.accept(`JSON with ${what}`, delivery);
    }
  }

  async #malformed() {
    const exchange = await this.#post(await this.#sender.deliver('{"not": JSON'));
    const name = this.#named("authentic, but no JSON: 400");
    this.#report.quarantined(name, this.#sender.name, exchange, 400);
  }

  async #fresh(options = {}) {
    const id = this.#sender.newId();
    return this.#sender.deliver(JSON.stringify(this.#sender.document(id)), { id, ...options });
  }

  #post(delivery, framing) {
    return this.#wire.post(delivery.path, delivery.body, delivery.headers, framing);
  }

  #named(what) {
    return `${this.#sender.name}: ${what}`;
  }
}

function hex(unit) {
  return unit.charCodeAt(0).toString(16).padStart(4, "0");
}
