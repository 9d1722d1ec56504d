// How each provider makes a request: its document, its headers and, by its SDK, its signature.
//
// Whatever signs, the SDK's own verifier judges the result before anything is sent, so that a
// refusal by the server cannot be the sender's mistake.

import assert from "node:assert/strict";
import { createHmac, randomBytes, randomUUID } from "node:crypto";

import { sign, verify } from "@octokit/webhooks-methods";
import "@shopify/shopify-api/adapters/node";
import { ApiVersion, LogSeverity, shopifyApi } from "@shopify/shopify-api";
import Stripe from "stripe";

const TEXT = "Grüße aus Köln, 東京 and Ελλάδα: 100 % €/£ \u{1f30a}";

/** One provider sending to one source. */
class Sender {
  constructor(name, source) {
    this.name = name;
    this.path = source.path;
    this.secrets = source.secrets;
    this.wrongSecret = source.wrong_secret;
    this.ruled = source.ruled;
  }

  /** Signs an event whose document says what it is about; `options` are `id`, `secret` and `at`. */
  async deliver(body, options = {}) {
    const { id = this.newId(), secret = this.secrets[0], at = Math.floor(Date.now() / 1000) } = options;
    const content = Buffer.from(body);
    return {
      source: this.name,
      path: this.path,
      body: content,
      headers: await this.headers(content.toString(), { id, secret, at, event: options.event }),
      externalId: this.externalId(content, id),
      type: this.typeOf(content, options.event),
      record: this.ruled ? this.recordOf(content, id) : null,
    };
  }

  externalId(_body, id) {
    return id;
  }
}

/** npm `@octokit/webhooks-methods`. */
class GitHub extends Sender {
  signatureHeader = "x-hub-signature-256";
  hasTimestamp = false;

  newId() {
    return randomUUID();
  }

  document() {
    return {
      action: "opened",
      issue: { number: 1, title: TEXT },
      repository: { full_name: "octo/hello", private: false },
      sender: { login: "mona", id: 2 },
    };
  }

  async headers(body, { id, secret, event = "issues" }) {
    const signature = await sign(secret, body);
    assert(await verify(secret, body, signature));
    return { "x-github-event": event, "x-github-delivery": id, "x-hub-signature-256": signature };
  }

  typeOf(body, event = "issues") {
    const { action } = parsed(body);
    return action ? `${event}.${action}` : event;
  }

  recordOf(body) {
    const { action, repository, sender } = parsed(body);
    return {
      action: action ?? "none",
      repository: repository?.full_name ?? null,
      private: repository?.private ?? false,
      sender: sender?.login ?? null,
    };
  }
}

/** npm `stripe`. */
class StripeSender extends Sender {
  signatureHeader = "stripe-signature";
  hasTimestamp = true;
  #webhooks = new Stripe("sk_test_conformance").webhooks;

  newId() {
    return `evt_${randomBytes(12).toString("hex")}`;
  }

  document(id) {
    const refund = { id: "re_1", object: "refund", amount: 1099, currency: "jpy", description: TEXT };
    const created = Math.floor(Date.now() / 1000);
    return { id, object: "event", created, livemode: false, type: "refund.created", data: { object: refund } };
  }

  headers(body, { secret, at }) {
    const header = this.#webhooks.generateTestHeaderString({ payload: body, secret, timestamp: at });
    assert(this.#webhooks.signature.verifyHeader(body, header, secret));
    return { "stripe-signature": header };
  }

  typeOf() {
    return "refund.created";
  }

  recordOf(_body, id) {
    return { event_id: id, type: "refund.created", resource: "refund", currency: "JPY" };
  }
}

/** By Shopify's page on webhooks; npm `@shopify/shopify-api`, which only checks, judges it. */
class Shopify extends Sender {
  signatureHeader = "x-shopify-hmac-sha256";
  hasTimestamp = false;

  newId() {
    return randomUUID();
  }

  document() {
    return { id: randomBytes(6).readUIntBE(0, 6), name: "#1001", total_price: "10.99", note: TEXT };
  }

  async headers(body, { id, secret }) {
    const headers = {
      "x-shopify-hmac-sha256": createHmac("sha256", secret).update(body).digest("base64"),
      "x-shopify-topic": "orders/create",
      "x-shopify-shop-domain": "conformance.myshopify.com",
      "x-shopify-api-version": "2026-04",
      "x-shopify-webhook-id": randomUUID(),
      "x-shopify-event-id": id,
    };
    const request = { method: "POST", url: this.path, headers };
    const judge = shopifyApp(secret).webhooks;
    const verdict = await judge.validate({ rawBody: body, rawRequest: request, rawResponse: {} });
    assert(verdict.valid, JSON.stringify(verdict));
    return headers;
  }

  typeOf() {
    return "orders/create";
  }
}

/** A sender for each source that this client serves. */
export function senders(sources) {
  const kinds = {
    github: GitHub,
    "github-ruled": GitHub,
    stripe: StripeSender,
    "stripe-ruled": StripeSender,
    shopify: Shopify,
  };
  return Object.fromEntries(
    Object.entries(kinds).map(([name, Kind]) => [name, new Kind(name, sources[name])]),
  );
}

function shopifyApp(secret) {
  return shopifyApi({
    apiKey: "conformance",
    apiSecretKey: secret,
    hostName: "localhost",
    apiVersion: ApiVersion.April26,
    isEmbeddedApp: false,
    logger: { level: LogSeverity.Error },
  });
}

/** The body's object; empty if it is none. */
function parsed(body) {
  try {
    return JSON.parse(body);
  } catch {
    return {};
  }
}
