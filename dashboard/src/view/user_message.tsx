// What the agent was told, by whom and as what.

import type { UserRow } from "../client/row.ts";
import { visibleText } from "../client/visible_text.ts";
import { runtimeName } from "./format.ts";
import { CutMark, RowFrame } from "./row_frame.tsx";
import { Said } from "./said.tsx";

export function UserMessage({ row }: { row: UserRow }) {
  return (
    <RowFrame row={row} icon="user" tone={row.by === "operator" ? "operator" : "program"}>
      <p class="teller">{visibleText(tellerWords(row))}</p>
      <Said row={row} text={row.text} />
      <CutMark row={row} bytes={row.cut} />
    </RowFrame>
  );
}

const asked = { prompt: "You asked", message: "You said", command: "You had it run" } as const;

/** "You said", or who put the words into a person's mouth. */
export function tellerWords({ by, source, parent }: Pick<UserRow, "by" | "source" | "parent">): string {
  if (by === "operator") return asked[source];
  return `${runtimeName(by)} put this there by itself${parent === null ? "" : ", for its sub-agent"}`;
}
