// The key pair of calls to a control server, and a call that is signed with it: what `crates/protocol/src/signed_call.rs` does in
// the Worker.

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** @import { Variables } from "./types.d.ts" */

/** How long a call is good. */
const LIFE_MS = 20_000;
/** What stands before the 32 bytes of a private key in its PKCS #8 form. */
const PKCS8_HEAD = "302e020100300506032b657004220420";

/** A new private key: 64 hexadecimal digits. */
export const newControlKey = () => Buffer.from(generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" }).d ?? "", "base64url").toString("hex");

/**
 * Its public half.
 *
 * @param {string} key
 */
export const publicKeyOf = (key) => Buffer.from(createPublicKey(privateKey(key)).export({ format: "jwk" }).x ?? "", "base64url").toString("hex");

/**
 * The headers of a call of a town; `issued_at`, `purpose` and so on as a test wants them.
 *
 * @param {string} key
 * @param {{ town_id: string, method?: string, target: string, body?: string | Buffer, purpose?: string, issued_at?: number, life_ms?: number, nonce?: string }} call
 */
export function signedHeaders(key, { town_id, method = "GET", target, body = "", ...claims }) {
  const { purpose = purposeOf(target), issued_at = Date.now(), life_ms = LIFE_MS, nonce = randomBytes(16).toString("hex") } = claims;
  const hash = createHash("sha256").update(body).digest("hex");
  const said = [purpose, issued_at, issued_at + life_ms, nonce, hash];
  const text = ["townwatch call 1", town_id, method, target, ...said].join("\n");
  const signature = sign(null, Buffer.from(text), privateKey(key)).toString("hex");
  return { authorization: `Townwatch ${[...said, signature].join(".")}`, "townwatch-town": town_id };
}

/** @param {string} key */
function privateKey(key) {
  return createPrivateKey({ key: Buffer.from(PKCS8_HEAD + key, "hex"), format: "der", type: "pkcs8" });
}

/**
 * What calls of a path are for.
 *
 * @param {string} target
 */
function purposeOf(target) {
  const parts = target.split("?")[0].split("/");
  const last = parts.at(-1) ?? "";
  if (parts.at(-2) === "images") return "relay";
  /** @type {Variables} */
  const purposes = { health: "look", status: "look", events: "relay", message: "tell" };
  return purposes[last] ?? last;
}
