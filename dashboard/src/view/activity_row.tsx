// One row of the activity list. Everything an agent wrote is only ever text here, never markup.

import { Component } from "preact";
import { useState } from "preact/hooks";
import type { Row } from "../client/row.ts";
import { countWords } from "../client/sentences.ts";
import { CallRow } from "./call_row.tsx";
import { clockTime, dayWords } from "./format.ts";
import { CutMark, Fold, RowFrame } from "./row_frame.tsx";

/** Longer texts begin folded. */
const TEXT_CHARACTERS = 3_000;

export class ActivityRow extends Component<{ row: Row }> {
  override shouldComponentUpdate(next: { row: Row }): boolean {
    return next.row !== this.props.row;
  }

  override render() {
    const { row } = this.props;
    switch (row.kind) {
      case "run":
        return (
          <div class="run-line">
            <span>
              {dayWords(row.at)}, {clockTime(row.at)}
            </span>
          </div>
        );
      case "say":
        return (
          <RowFrame row={row} icon={row.voice === "assistant" ? "say" : "thinking"} tone={row.voice}>
            {row.voice === "assistant" ? <Said text={row.text} /> : <Thought text={row.text} />}
            <CutMark bytes={row.cut} />
          </RowFrame>
        );
      case "lines":
        return (
          <RowFrame row={row} icon="lines">
            <pre class="lines">
              {row.lines.map((line, index) => (
                <span key={index} class={line.stream}>
                  {line.text.endsWith("\n") ? line.text : `${line.text}\n`}
                </span>
              ))}
            </pre>
          </RowFrame>
        );
      case "call":
        return <CallRow row={row} />;
      case "result":
        return (
          <RowFrame row={row} icon="Other" tone={row.result.success ? "plain" : "bad"}>
            <Fold sentence="The result of a call that is not shown here">
              <pre>{row.result.content}</pre>
            </Fold>
            <CutMark bytes={row.cut} />
          </RowFrame>
        );
      case "note":
        return (
          <RowFrame row={row} icon={row.icon} tone={row.tone}>
            {row.detail === undefined ? (
              <p class="sentence">{row.text}</p>
            ) : (
              <Fold sentence={row.text}>
                <pre>{row.detail}</pre>
              </Fold>
            )}
          </RowFrame>
        );
      case "question":
        return (
          <RowFrame row={row} icon="question" tone={row.answered === null ? "warning" : "plain"}>
            <p class="sentence">{row.question.detail}</p>
            <p class="soft">
              {row.answered === null ? "Waits for an answer" : `Answered “${row.answered.answer}” by ${row.answered.by}`}
            </p>
          </RowFrame>
        );
      case "gap":
        return (
          <RowFrame row={row} icon="gap" tone="warning" extra="gap-row">
            <p class="sentence">{row.text}</p>
          </RowFrame>
        );
      case "end":
        return (
          <RowFrame row={row} icon={row.tone === "good" ? "check" : row.tone === "bad" ? "cross" : "stop"} tone={row.tone} extra="end-row">
            <p class="sentence">{row.text}</p>
          </RowFrame>
        );
      case "unknown":
        return (
          <RowFrame row={row} icon="unknown">
            <Fold sentence={row.name} mono>
              <pre>{JSON.stringify(row.data, null, 2)}</pre>
            </Fold>
          </RowFrame>
        );
    }
  }
}

function Said({ text }: { text: string }) {
  const [whole, setWhole] = useState(text.length <= TEXT_CHARACTERS);
  if (whole) return <p class="said">{text}</p>;
  return (
    <>
      <p class="said">{text.slice(0, TEXT_CHARACTERS)}…</p>
      <button type="button" class="text-button" onClick={() => setWhole(true)}>
        Show all {countWords(text.length, "character", "characters")}
      </button>
    </>
  );
}

function Thought({ text }: { text: string }) {
  const first = text.trimStart().split("\n", 1)[0] ?? "";
  const short = text.trim() === first.trim() && text.length <= 240;
  if (short) return <p class="said">{text}</p>;
  return (
    <Fold sentence={first === "" ? "Thinking" : first}>
      <p class="said">{text}</p>
    </Fold>
  );
}
