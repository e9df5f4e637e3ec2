// Pictures for tests: real ones of every kind and size, and what only looks like one.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";

const small = (name) => readFileSync(new URL(name, import.meta.url));

/** One of each kind, by its media type. */
export const PICTURES = {
  "image/png": small("dot.png"),
  "image/jpeg": small("dot.jpg"),
  "image/webp": small("dot.webp"),
  "image/gif": small("dot.gif"),
};

/** How a picture is called: the first half of its bytes' SHA-256. */
export const idOf = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 32);

/** A PNG of noise, which nothing packs any smaller: three bytes a pixel. */
export function noisePng(side_pixels, seed) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side_pixels, 0);
  header.writeUInt32BE(side_pixels, 4);
  header.set([8, 2, 0, 0, 0], 8); // eight bits each of red, green and blue
  const rows = Buffer.alloc(side_pixels * (1 + 3 * side_pixels));
  let state = seed;
  for (let at = 0; at < rows.length; at += 1) {
    if (at % (1 + 3 * side_pixels) === 0) continue; // how the row is filtered: not
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    rows[at] = state >>> 24;
  }
  return Buffer.concat([
    PICTURES["image/png"].subarray(0, 8),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows, { level: 0 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(name, content) {
  const named = Buffer.concat([Buffer.from(name), content]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}

const SVG = `<svg xmlns="http://www.w3.org/2000/svg" onload="window.hacked=1"><script>window.hacked=2</script><image href="https://evil.example/svg.png"/></svg>`;
const SCRIPT = "<script>window.hacked=3</script><img src=https://evil.example/html.png onerror=window.hacked=4>";
const png = PICTURES["image/png"];

/** What is said to be a PNG, and what is wrong with it, as a person is told. */
export const HOSTILE = [
  { name: "an SVG", bytes: Buffer.from(SVG), words: "no PNG, JPEG, WebP or GIF" },
  { name: "a page", bytes: Buffer.from(`<!doctype html>${SCRIPT}`), words: "no PNG, JPEG, WebP or GIF" },
  { name: "a script behind a PNG's beginning", bytes: Buffer.concat([png.subarray(0, 33), Buffer.from(SCRIPT)]), words: "not whole" },
  { name: "a script that begins as a GIF", bytes: Buffer.from(`GIF89a/*${SCRIPT}*/=1;alert(1)`), words: "not whole" },
  { name: "a PNG that is cut short", bytes: png.subarray(0, png.length - 5), words: "not whole" },
  { name: "a PNG with a page behind its end", bytes: Buffer.concat([png, Buffer.from(SCRIPT)]), words: "behind its end" },
];

/** What a result says of pictures. */
export const attached = (bytes, media_type = "image/png") => ({ kind: "image", media_type, size_bytes: bytes.length, image_id: idOf(bytes) });

/** The data of a result that gave these. */
export const result = (tool_use_id, attachments, content = "") => ({
  tool_use_id, success: true, content, content_length: content.length, duration_ms: 5, attachments,
});
