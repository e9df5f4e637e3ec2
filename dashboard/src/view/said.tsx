// A text that somebody said, as it was said: long ones begin folded.

import type { Row } from "../client/row.ts";
import { countWords } from "../client/sentences.ts";
import { visibleText } from "../client/visible_text.ts";
import { useOpen } from "./open_parts.ts";
import { usePage } from "./page_context.ts";

/** Longer ones begin folded; what an agent says in full is in the output, too. */
const SAID_CHARACTERS = 420;
const SAID_LINES = 6;

export function Said({ row, text }: { row: Row; text: string }) {
  const [open, toggle] = useOpen(usePage().parts, row.key);
  const beginning = text.slice(0, SAID_CHARACTERS).split("\n").slice(0, SAID_LINES).join("\n");
  if (open || beginning.length === text.length) return <p class="said" dir="auto">{visibleText(text)}</p>;
  return (
    <>
      <p class="said" dir="auto">{visibleText(beginning)}…</p>
      <button type="button" class="text-button" aria-expanded={false} onClick={toggle}>
        Show all {countWords(text.length, "character", "characters")}
      </button>
    </>
  );
}

/** After what was still being typed when its author ended. */
export function BrokenOff() {
  return <p class="broken-off">broken off here</p>;
}
