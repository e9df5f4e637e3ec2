// What a result has beside text: pictures, sounds, files, addresses. A posted event may hold anything here, so each entry
// is looked at before the view trusts it.

import type { Attachment, AttachmentKind } from "../protocol/protocol.ts";
import { bytesWords } from "./sentences.ts";

/** Of one result; what it names beyond them is in its JSON. */
export const ATTACHMENTS_MAX = 64;

const kinds: ReadonlyMap<unknown, AttachmentKind> = new Map([
  ["image", "image"],
  ["audio", "audio"],
  ["document", "document"],
  ["link", "link"],
]);
const names: Readonly<Record<AttachmentKind, string>> = { image: "Picture", audio: "Sound", document: "File", link: "Link" };

/** The entries that can be shown. */
export function attachmentsOf(given: unknown): readonly Attachment[] {
  if (!Array.isArray(given)) return [];
  return given.slice(0, ATTACHMENTS_MAX).flatMap((entry: unknown) => {
    if (typeof entry !== "object" || entry === null) return [];
    const fields = new Map<string, unknown>(Object.entries(entry));
    const kind = kinds.get(fields.get("kind"));
    if (kind === undefined) return [];
    const attachment: Attachment = { kind };
    for (const name of ["media_type", "name", "uri", "image_id", "problem"] as const) {
      const text = fields.get(name);
      if (typeof text === "string" && text !== "") attachment[name] = text;
    }
    const size = Number(fields.get("size_bytes") ?? NaN);
    if (Number.isSafeInteger(size) && size >= 0) attachment.size_bytes = size;
    return [attachment];
  });
}

/** "Picture “plan.png”, image/png, 12 KiB" */
export function attachmentWords({ kind, name, media_type, size_bytes }: Attachment): string {
  const named = name === undefined ? names[kind] : `${names[kind]} “${name}”`;
  return [named, media_type, size_bytes === undefined ? undefined : bytesWords(size_bytes)].filter((part) => part !== undefined).join(", ");
}
