// HTTP as a provider speaks it, and what every answer must have.

import { randomBytes } from "node:crypto";
import http from "node:http";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

const TIMEOUT_MS = 30_000;
const CHUNK_BYTES = 61;
const NO_ANSWER = 0;
const PROBLEM = "application/problem+json";

const compress = promisify(gzip);

/** One connection to the public listener, kept open between requests. */
export class Wire {
  #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  #base;

  constructor(address) {
    this.#base = `http://${address}`;
  }

  /** Sends `body`, compressed and in small chunks if asked to, with marks of its own. */
  async post(path, body, headers, { gzipped = false, chunked = false } = {}) {
    const sent = marks();
    const all = {
      "content-type": "application/json",
      "user-agent": "tidegate-conformance",
      "x-request-id": sent.requestId,
      traceparent: `00-${sent.traceId}-${sent.spanId}-01`,
      ...headers,
    };
    const content = gzipped ? await compress(body) : body;
    if (gzipped) all["content-encoding"] = "gzip";
    if (!chunked) all["content-length"] = content.length;
    try {
      return { ...sent, ...(await this.#exchange(path, all, chunked ? chunksOf(content) : [content])) };
    } catch (error) {
      // A connection that breaks is a finding about this request, not the end of the others.
      return { ...sent, status: NO_ANSWER, headers: {}, body: String(error) };
    }
  }

  #exchange(path, headers, pieces) {
    return new Promise((resolve, reject) => {
      const options = { method: "POST", headers, agent: this.#agent, timeout: TIMEOUT_MS };
      const request = http.request(this.#base + path, options, (response) => {
        const received = [];
        response.on("data", (piece) => received.push(piece));
        response.on("error", reject);
        response.on("end", () => {
          const body = Buffer.concat(received).toString();
          resolve({ status: response.statusCode, headers: response.headers, body });
        });
      });
      request.on("timeout", () => request.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)));
      request.on("error", reject);
      for (const piece of pieces) request.write(piece);
      request.end();
    });
  }

  /** Lets the process end. */
  close() {
    this.#agent.destroy();
  }
}

/** What is wrong with an answer that should have this status, whatever it is about. */
export function faultsOf(exchange, status) {
  if (exchange.status === NO_ANSWER) return [`no answer: ${exchange.body}`];
  if (exchange.status !== status) {
    return [`${exchange.status}, expected ${status}: ${exchange.body.slice(0, 500)}`];
  }
  const mediaType = status === 200 ? "application/json" : PROBLEM;
  const faults = markFaults(exchange);
  if (exchange.headers["content-type"] !== mediaType) {
    faults.push(`content-type is ${exchange.headers["content-type"]}, expected ${mediaType}`);
  }
  return mediaType === PROBLEM ? [...faults, ...problemFaults(exchange)] : faults;
}

/** The answer's JSON object; empty if it is none. */
export function jsonOf(exchange) {
  try {
    return JSON.parse(exchange.body) ?? {};
  } catch {
    return {};
  }
}

function marks() {
  const [requestId, traceId, spanId] = [8, 16, 8].map((size) => randomBytes(size).toString("hex"));
  return { requestId, traceId, spanId };
}

function* chunksOf(content) {
  for (let at = 0; at < content.length; at += CHUNK_BYTES) yield content.subarray(at, at + CHUNK_BYTES);
}

function markFaults({ requestId, traceId, spanId, headers }) {
  const faults = [];
  if (headers["x-request-id"] !== requestId) {
    faults.push(`x-request-id is ${headers["x-request-id"]}, sent was ${requestId}`);
  }
  const [, answeredTrace, answeredSpan] = (headers.traceparent ?? "").split("-");
  if (answeredTrace !== traceId) {
    faults.push(`traceparent ${headers.traceparent} does not continue the trace ${traceId}`);
  } else if (answeredSpan === spanId) {
    faults.push("traceparent has the caller's span instead of one of its own");
  }
  return faults;
}

function problemFaults(exchange) {
  const problem = jsonOf(exchange);
  const faults = ["type", "title", "detail"]
    .filter((member) => !problem[member])
    .map((member) => `the problem has no ${member}`);
  if (problem.status !== exchange.status) faults.push(`the problem says status ${problem.status}`);
  if (problem.request_id !== exchange.requestId) {
    faults.push(`the problem says request_id ${problem.request_id}`);
  }
  return faults;
}
