// The algorithm of IdempotencyKey.derive in JavaScript: reads the vectors, prints the key of each on a line of its own.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

function textOf(part) {
  if (typeof part === "string") return part;
  if (typeof part === "number" && Number.isSafeInteger(part)) return part.toString();
  return BigInt(part.integer).toString();
}

function derive(parts, namespace = "") {
  const hash = createHash("sha256");
  for (const text of [namespace, ...parts.map(textOf)]) {
    const bytes = Buffer.from(text, "utf8");
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return `rc1-${hash.digest("hex").slice(0, 40)}`;
}

const { vectors } = JSON.parse(readFileSync(process.argv[2], "utf8"));
for (const { namespace, parts } of vectors) console.log(derive(parts, namespace));
