// What a program printed, as a terminal shows it; the model for it comes only when a text needs it.

import { Component } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { LinesRow } from "../client/row.ts";
import { terminalName } from "../client/row.ts";
import type { TerminalLine, TerminalSpan } from "../client/terminal_span.ts";
import { isWebAddress, looksElsewhere } from "../client/terminal_span.ts";
import { needsTerminal, terminals } from "../client/terminals.ts";
import { visibleText } from "../client/visible_text.ts";
import { LoopbackMark } from "./loopback_mark.tsx";

/** A text that is whole: the result of a call. */
export function TerminalText({ text }: { text: string }) {
  const needed = needsTerminal(text);
  const ready = useTerminals(needed);
  const lines = useMemo(() => (needed && ready ? terminals.linesOf(text) : null), [text, needed, ready]);
  // biome-ignore lint/complexity/noUselessFragments: a component is an element, and not a text.
  return lines === null ? <>{visibleText(text)}</> : <Lines lines={lines} />;
}

/** The lines of a row, of which there may come more. */
export function TerminalRow({ row }: { row: LinesRow }) {
  const needed = useMemo(() => row.lines.some(({ text }) => needsTerminal(text)), [row.lines]);
  const ready = useTerminals(needed);
  const lines = needed && ready ? terminals.lines(terminalName(row), row.lines) : null;
  if (lines !== null) return <Lines lines={lines} />;
  return (
    <>
      {row.lines.map(({ text, stream, partial }, index) => (
        <span key={index} class={stream}>
          {visibleText(partial || text.endsWith("\n") ? text : `${text}\n`)}
        </span>
      ))}
    </>
  );
}

/** Whether the model is here. It is asked for where it is needed. */
function useTerminals(needed: boolean): boolean {
  const [ready, setReady] = useState(terminals.isReady);
  useEffect(() => {
    if (!needed || ready) return;
    let isCurrent = true;
    void terminals.ready().then(() => {
      if (isCurrent) setReady(terminals.isReady);
    });
    return () => {
      isCurrent = false;
    };
  }, [needed, ready]);
  return ready;
}

function Lines({ lines }: { lines: readonly TerminalLine[] }) {
  return (
    <>
      {lines.map((line, index) => (
        <Line key={index} line={line} />
      ))}
    </>
  );
}

/** A line that did not change is the same object. */
class Line extends Component<{ line: TerminalLine }> {
  override shouldComponentUpdate(next: { line: TerminalLine }): boolean {
    return next.line !== this.props.line;
  }

  override render() {
    return (
      <>
        {this.props.line.map((span, index) => (
          <Span key={index} span={span} />
        ))}
        {"\n"}
      </>
    );
  }
}

function Span({ span }: { span: TerminalSpan }) {
  const { address } = span;
  const text = visibleText(span.text);
  const style = {
    ...(span.colour === null ? {} : { "--ansi": span.colour }),
    ...(span.behind === null ? {} : { "--behind": span.behind }),
    ...(span.line_colour === null ? {} : { "text-decoration-color": span.line_colour }),
  };
  const names = [span.stream, ...span.names, ...(span.colour === null ? [] : ["coloured"])].join(" ");
  const shown = (
    <span class={names} style={style} {...(address === null || isWebAddress(address) ? {} : { title: visibleText(address) })}>
      {text}
    </span>
  );
  if (address === null) return shown;
  const elsewhere = looksElsewhere(span.text, address) && <span class="address"> ({visibleText(address)})</span>;
  if (!isWebAddress(address)) {
    return (
      <>
        {shown}
        {elsewhere}
      </>
    );
  }
  return (
    <>
      <a href={address} title={visibleText(address)} target="_blank" rel="noopener noreferrer">
        {shown}
      </a>
      {elsewhere}
      <LoopbackMark address={address} />
    </>
  );
}
