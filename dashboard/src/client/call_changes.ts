// What a call says that it changes in files, whatever agent it is of: before and after, or a patch.

import type { CallRow } from "./row.ts";

export type CallChange =
  | { readonly kind: "texts"; readonly path: string; readonly before: string; readonly after: string }
  /** The whole file, of which nobody said what was there before. */
  | { readonly kind: "whole"; readonly path: string; readonly after: string }
  | { readonly kind: "patch"; readonly path: string; readonly patch: string };

type Fields = Readonly<Record<string, unknown>>;

/** Empty where the call changes no file, or does not say how. */
export function callChanges(row: CallRow): CallChange[] {
  if (row.category !== "Edit" && row.category !== "Write") return [];
  const input = fieldsOf(row.input);
  const path = text(input, "file_path", "filePath", "path") ?? row.path ?? "";
  return [...edits(input, path), ...listed(input.edits).flatMap((edit) => edits(edit, path)), ...patches(input, path)];
}

/** Claude Code and Gemini CLI write `old_string`, OpenCode and Kilo `oldString`. */
function edits(input: Fields, path: string): CallChange[] {
  const before = text(input, "old_string", "oldString");
  const after = text(input, "new_string", "newString");
  if (before !== undefined && after !== undefined) return [{ kind: "texts", path, before, after }];
  const whole = text(input, "content");
  return whole === undefined ? [] : [{ kind: "whole", path, after: whole }];
}

/** Patches as OpenCode's `apply_patch` has them, or per file as Codex may. */
function patches(input: Fields, path: string): CallChange[] {
  const whole = text(input, "patchText", "patch");
  const files = listed(input.changes).flatMap((change): CallChange[] => {
    const patch = text(change, "diff", "unified_diff");
    return patch === undefined ? [] : [{ kind: "patch", path: text(change, "path") ?? path, patch }];
  });
  return whole === undefined ? files : [{ kind: "patch", path, patch: whole }, ...files];
}

const LOCK_FILES = new Set([
  "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "deno.lock", "Cargo.lock",
  "poetry.lock", "uv.lock", "Pipfile.lock", "Gemfile.lock", "composer.lock", "go.sum", "flake.lock", "mix.lock", "pubspec.lock",
]);

/** Files that tools write and nobody reads. */
export function isLockFile(path: string): boolean {
  return LOCK_FILES.has(path.split(/[/\\]/).at(-1) ?? "");
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function listed(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

/** The first of these fields that is a text. */
function text(fields: Fields, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (typeof value === "string") return value;
  }
  return undefined;
}
