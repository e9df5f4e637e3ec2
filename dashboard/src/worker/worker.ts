// The page's worker: takes work, gives results, knows nothing else.

import { jsonIn } from "../client/json_tree.ts";
import { diffLines } from "./diff.ts";
import { highlighted } from "./highlight.ts";
import { markdownTree } from "./markdown.ts";
import type { Request, Response, Work } from "./messages.ts";

addEventListener("message", ({ data }: MessageEvent<Request>) => {
  const response: Response = { id: data.id, result: resultOf(data.work) };
  postMessage(response);
});

function resultOf(work: Work): Response["result"] {
  try {
    switch (work.kind) {
      case "markdown":
        return markdownTree(work.text);
      case "highlight":
        return highlighted(work.language, work.code);
      case "diff":
        return diffLines(work.before, work.after);
      case "json":
        return jsonIn(work.text);
    }
  } catch {
    return null;
  }
}
