// Code, at once as it is and a moment later in colours.

import { visibleText } from "../client/visible_text.ts";
import { useWork } from "./work.ts";

export function Code({ language, code }: { language: string; code: string }) {
  return (
    <pre class="code" tabIndex={0}>
      <code>{language === "" ? visibleText(code) : <Coloured language={language} code={code} />}</code>
    </pre>
  );
}

function Coloured({ language, code }: { language: string; code: string }) {
  const tokens = useWork({ kind: "highlight", language, code });
  if (tokens === null) return <>{visibleText(code)}</>;
  return <>{tokens.map(([what, text]) => (what === "" ? visibleText(text) : <span class={what}>{visibleText(text)}</span>))}</>;
}
