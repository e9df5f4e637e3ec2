// A text with its structure. Only elements are made that stand in the list; all that an agent wrote is text in them.

import type { ComponentChildren } from "preact";
import { createElement } from "preact";
import { visibleText } from "../client/visible_text.ts";
import type { MarkdownNode } from "../worker/messages.ts";
import { MARKDOWN_TAGS } from "../worker/messages.ts";
import { Code } from "./code.tsx";
import { LoopbackMark } from "./loopback_mark.tsx";
import { useWork } from "./work.ts";

export function Markdown({ text }: { text: string }) {
  const nodes = useWork({ kind: "markdown", text });
  if (nodes === null) {
    return (
      <p class="said" dir="auto">
        {visibleText(text)}
      </p>
    );
  }
  return (
    <div class="markdown" dir="auto">
      {nodes.map(drawn)}
    </div>
  );
}

function drawn(node: MarkdownNode): ComponentChildren {
  if (typeof node === "string") return visibleText(node);
  switch (node.kind) {
    case "element": {
      if (!MARKDOWN_TAGS.includes(node.tag)) return null;
      const made = createElement<{ start?: number | undefined }>(node.tag, { start: node.start }, ...node.children.map(drawn));
      return node.tag === "table" ? <div class="table">{made}</div> : made;
    }
    case "link":
      return (
        <>
          <a href={node.address} target="_blank" rel="noopener noreferrer">
            {node.children.map(drawn)}
          </a>
          {!saysItself(node) && <span class="address"> ({visibleText(node.address)})</span>}
          <LoopbackMark address={node.address} />
        </>
      );
    case "reference":
      return (
        <span class="reference">
          {node.children.map(drawn)} <span class="address">({visibleText(node.address)})</span>
        </span>
      );
    case "code":
      return <Code language={node.language} code={node.code} />;
    case "task":
      return (
        <span class="task">
          {node.done ? "☑" : "☐"}
          <span class="hidden">{node.done ? "done" : "to do"}</span>{" "}
        </span>
      );
  }
}

/** Whether one reads in the link where it leads. */
function saysItself(link: Extract<MarkdownNode, { kind: "link" }>): boolean {
  const [only, ...others] = link.children;
  return others.length === 0 && typeof only === "string" && (only === link.address || `${only}/` === link.address);
}
