// Says what a search did not look at, and looks at it when asked.

import { bytesWords, countWords } from "../client/sentences.ts";
import { Problem } from "./message.tsx";
import type { Unsearched } from "./use_unsearched.ts";

export function UnsearchedLine(unsearched: Unsearched) {
  const { busy, problem, start, stop } = unsearched;
  const parts = partsOf(unsearched);
  const canBeSearched = unsearched.cut_texts > 0 || unsearched.has_missing;
  if (busy === null && problem === null && parts.length === 0) return null;
  return (
    <div class="missing unsearched">
      <span role="status">{busy === null ? notSearched(parts) : busyWords(busy)}</span>{" "}
      {busy !== null && (
        <button type="button" class="text-button" onClick={stop}>
          Stop
        </button>
      )}
      {busy === null && canBeSearched && (
        <button type="button" class="text-button" onClick={start}>
          Fetch and search
        </button>
      )}
      <Problem text={problem} />
    </div>
  );
}

function notSearched(parts: readonly string[]): string {
  return parts.length === 0 ? "" : `Not searched: ${parts.join("; ")}.`;
}

function partsOf({ cut_texts, cut_bytes, has_missing, is_coming, gone_texts, has_lost }: Unsearched): string[] {
  const parts: string[] = [];
  if (cut_texts > 0) parts.push(`${countWords(cut_texts, "cut text", "cut texts")} (${bytesWords(cut_bytes)} more in the log)`);
  if (has_missing) parts.push(is_coming ? "earlier events, which are still loading" : "earlier events that are no longer in this tab");
  if (gone_texts > 0) parts.push(`the rest of ${countWords(gone_texts, "cut text", "cut texts")}, which the log no longer has`);
  if (has_lost) parts.push("events that the log no longer has");
  return parts;
}

function busyWords(busy: NonNullable<Unsearched["busy"]>): string {
  if (busy === "earlier") return "Fetching earlier events…";
  return `Searching cut texts: ${busy.looked.toLocaleString("en")} of ${busy.total.toLocaleString("en")}…`;
}
