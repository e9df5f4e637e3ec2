// What a program printed, with its colours; the code for them comes only when there are any.

import { useEffect, useState } from "preact/hooks";
import { hasAnsi } from "../client/ansi_mark.ts";
import { visibleText } from "../client/visible_text.ts";

type Ansi = typeof import("../client/ansi.ts");
let loaded: Ansi | null = null;

export function TerminalText({ text }: { text: string }) {
  const isColoured = hasAnsi(text);
  const [ansi, setAnsi] = useState(loaded);
  useEffect(() => {
    if (!isColoured || ansi !== null) return;
    let isCurrent = true;
    void import("../client/ansi.ts").then((module) => {
      loaded = module;
      if (isCurrent) setAnsi(module);
    });
    return () => {
      isCurrent = false;
    };
  }, [isColoured, ansi]);
  if (!isColoured || ansi === null) return <>{visibleText(text)}</>;
  return (
    <>
      {ansi.ansiParts(text).map((part, index) => (
        <span key={index} class={part.names.join(" ")} {...(part.colour === null ? {} : { style: { "--ansi": `rgb(${part.colour})` } })}>
          {visibleText(part.text)}
        </span>
      ))}
    </>
  );
}
