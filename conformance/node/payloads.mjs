// What GitHub really sends: every example of npm `@octokit/webhooks-examples`, and the payload files.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";

const require = createRequire(import.meta.url);

/** Every example, as compact JSON, with the name of its event. */
export function* octokitExamples() {
  for (const { name, examples } of require("@octokit/webhooks-examples")) {
    for (const [index, example] of examples.entries()) {
      yield { event: name, label: `${name} example ${index + 1}`, body: JSON.stringify(example) };
    }
  }
}

/** Every file, byte for byte. Files are named after their event: `issues.opened.json`. */
export function* payloadFiles(files) {
  for (const file of files) {
    const label = basename(file);
    yield { event: label.split(".")[0], label: `payload ${label}`, body: readFileSync(file) };
  }
}
