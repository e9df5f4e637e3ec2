// Which files an agent changed, and by which calls: by what was seen to change (`file_changed`), or, where nobody looked
// at the files, by what the calls say that they did.

import type { FileChanged } from "../protocol/protocol.ts";
import type { CallRow, NoteRow, Row } from "./row.ts";

export interface FileChange {
  readonly row: CallRow | NoteRow;
  /** Null where only the call says so. */
  readonly file: FileChanged | null;
}

/** `written`: the call does not say whether it was there before. */
export type FileAction = FileChanged["action"] | "written";

export interface ChangedFile {
  readonly path: string;
  /** What became of it in the end: one that was created and then changed is created. */
  readonly action: FileAction;
  readonly lines_added: number;
  readonly lines_removed: number;
  readonly changes: readonly FileChange[];
}

/** In the order in which they were first changed. */
export function changedFiles(rows: readonly Row[]): ChangedFile[] {
  const files = new Map<string, ChangedFile>();
  for (const row of rows) {
    for (const { path, action, lines_added, lines_removed, change } of changesOf(row)) {
      const before = files.get(path);
      files.set(path, {
        path,
        action: before?.action === "created" && action !== "deleted" ? "created" : action,
        lines_added: (before?.lines_added ?? 0) + lines_added,
        lines_removed: (before?.lines_removed ?? 0) + lines_removed,
        changes: [...(before?.changes ?? []), change],
      });
    }
  }
  return [...files.values()];
}

type Change = Omit<ChangedFile, "changes"> & { readonly change: FileChange };

function changesOf(row: Row): Change[] {
  if (row.kind === "note") return row.file === undefined ? [] : [seen(row, row.file)];
  if (row.kind !== "call") return [];
  if (row.files.length > 0) return row.files.map((file) => seen(row, file));
  const wrote = row.category === "Write" || row.category === "Edit";
  if (!wrote || row.path === undefined || typeof row.outcome !== "object" || !row.outcome.success) return [];
  const action = row.category === "Write" ? "written" : "modified";
  return [{ path: row.path, action, lines_added: 0, lines_removed: 0, change: { row, file: null } }];
}

function seen(row: CallRow | NoteRow, file: FileChanged): Change {
  const { path, action, lines_added = 0, lines_removed = 0 } = file;
  return { path, action, lines_added, lines_removed, change: { row, file } };
}
