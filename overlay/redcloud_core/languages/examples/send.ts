// Send one SMS under a key that every language derives alike. Needs Node 22.18 or newer and nothing else: node send.ts
import { createHash } from "node:crypto";
import process from "node:process";
import type { NumberList, SendMessageRequest, SendMessageResponse, TokenForm, TokenResponse } from "../openapi.d.ts";

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

function textOf(part: string | number | bigint): string {
  if (typeof part === "number" && !Number.isSafeInteger(part)) throw new Error(`${part}: write integers as bigint`);
  const text = part.toString();
  if (!text.isWellFormed()) throw new Error("half of a surrogate pair is no text");
  return text;
}

/** The same as IdempotencyKey.derive: vectors/idempotency.json has examples. */
export function derive(parts: (string | number | bigint)[], namespace = ""): string {
  const hash = createHash("sha256");
  for (const text of [namespace, ...parts.map(textOf)]) {
    hash.update(`${Buffer.byteLength(text)}:${text}`);
  }
  return `rc1-${hash.digest("hex").slice(0, 40)}`;
}

async function call<T>(path: string, request: RequestInit): Promise<T> {
  const response = await fetch(setting("REDCLOUD_BASE_URL") + path, request);
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

const form = {
  grant_type: "client_credentials",
  client_id: setting("REDCLOUD_CLIENT_ID"),
  client_secret: setting("REDCLOUD_CLIENT_SECRET"),
} satisfies TokenForm;
const token = await call<TokenResponse>("/api/auth/token", { method: "POST", body: new URLSearchParams(form) });
const authorized = { Authorization: `Bearer ${token.access_token}` };

const { numbers } = await call<NumberList>("/api/core/numbers", { headers: authorized });
const number = numbers.find(({ status, smsEnabled, campaignRegId }) => status === "ACTIVE" && smsEnabled && campaignRegId);
if (!number) throw new Error("none of your numbers can send an SMS");

const message: SendMessageRequest = {
  sendFrom: number.numberId,
  to: ["+15551234567"],
  messageType: "SMS",
  text: "Your order is on its way",
  externalReference: "order_789",
};
// Without an answer the message may be queued all the same: send these bytes again, under this key.
const receipt = await call<SendMessageResponse>("/api/core/messages/send", {
  method: "POST",
  headers: {
    ...authorized,
    "Content-Type": "application/json",
    "Idempotency-Key": derive(["order", 789, "shipped"]),
  },
  body: JSON.stringify(message),
});
console.log(JSON.stringify(receipt));
