// The files that an agent changed, and the calls that did.

import { callChanges } from "../client/call_changes.ts";
import type { ChangedFile, FileChange } from "../client/files.ts";
import { changedFiles } from "../client/files.ts";
import type { Row } from "../client/row.ts";
import { countWords, fileSentence } from "../client/sentences.ts";
import { visibleText } from "../client/visible_text.ts";
import { DiffView } from "./diff_view.tsx";
import { Earlier, useIsWhole } from "./earlier.tsx";
import { clockTime } from "./format.ts";
import { Icon } from "./icons.tsx";
import { useOpen } from "./open_parts.ts";
import { usePage } from "./page_context.ts";

export function FilesPanel({ rows }: { rows: readonly Row[] }) {
  const files = changedFiles(rows);
  const isWhole = useIsWhole();
  return (
    <div class="scroller" tabIndex={0} role="region" aria-label="Files">
      <div class="rows">
        <Earlier />
        {files.map((file) => (
          <FileEntry key={file.path} file={file} />
        ))}
        {isWhole && files.length === 0 && <p class="nothing">Files that the agent changes appear here.</p>}
      </div>
    </div>
  );
}

const actionWords = { created: "new", modified: "changed", deleted: "deleted", renamed: "renamed", written: "written" } as const;

function FileEntry({ file }: { file: ChangedFile }) {
  const { parts, show } = usePage();
  const [open, toggle] = useOpen(parts, `file-${file.path}`);
  const slash = file.path.lastIndexOf("/") + 1;
  return (
    <div class="file-entry">
      <button type="button" class="tool-head" aria-expanded={open} onClick={toggle}>
        <Icon name="file" />
        <span class="file-path">
          <span class="soft">{visibleText(file.path.slice(0, slash))}</span>
          {visibleText(file.path.slice(slash))}
        </span>
        <span class={`file-action ${file.action}`}>{actionWords[file.action]}</span>
        {file.lines_added > 0 && <span class="added">+{file.lines_added}</span>}
        {file.lines_removed > 0 && <span class="removed">−{file.lines_removed}</span>}
        <span class="soft">{countWords(file.changes.length, "change", "changes")}</span>
        <Icon name="chevron" class="chevron" />
      </button>
      {open && (
        <ol class="folded file-changes">
          {file.changes.map(({ row, file: change }, index) => (
            <li key={index}>
              {row.kind === "call" && callChanges(row).filter(({ path }) => isOf(path, file.path)).map((one, part) => <DiffView key={part} change={one} />)}
              <button type="button" class="text-button" onClick={() => show(row.id, row.agent_id)}>
                {clockTime(row.at)} {visibleText(change === null ? sentenceOf(row) : fileSentence(change))}
              </button>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

/** A call names the file in full, and what was seen to change is named from the working directory on. */
function isOf(path: string, file: string): boolean {
  return path === file || path.endsWith(`/${file}`) || path === "";
}

function sentenceOf(row: FileChange["row"]): string {
  return row.kind === "call" ? row.summary : row.text;
}
