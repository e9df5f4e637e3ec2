// JSON as a tree that opens and closes, by mouse and by the keys that trees have, with the text as it came one press away.

import { useContext, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import type { TreeLine, TreeView } from "../client/json_tree.ts";
import { JsonTree, jsonIn, PARTS_SHOWN } from "../client/json_tree.ts";
import { countWords } from "../client/sentences.ts";
import { visibleText } from "../client/visible_text.ts";
import { Sought } from "./highlights.ts";
import { Icon } from "./icons.tsx";
import { useOpen } from "./open_parts.ts";
import { usePage } from "./page_context.ts";
import { PlainText } from "./row_frame.tsx";
import { useWork } from "./work.ts";

interface JsonProps {
  /** Names the part, so that it is as the reader left it when its row comes and goes. */
  readonly name: string;
  /** Says what it is to who can not see where it stands. */
  readonly label: string;
  readonly text: string;
}

/** What is looked at without the worker: a millisecond at most. */
const AT_ONCE_CHARACTERS = 64 * 1024;

/** A text that may be JSON: laid out if it is, else as it came. */
export function MaybeJson({ terminal, ...props }: JsonProps & { readonly terminal: boolean }) {
  const { text } = props;
  const isLong = text.length > AT_ONCE_CHARACTERS;
  const atOnce = useMemo(() => (isLong ? null : jsonIn(text)), [text, isLong]);
  const inTime = useWork(isLong ? { kind: "json", text } : null);
  const json = atOnce ?? inTime;
  if (json === null) return <PlainText text={text} terminal={terminal} />;
  return <Switchable {...props} json={json} />;
}

/** A text that is JSON. */
export function JsonText(props: JsonProps) {
  const json = /^\s*[[{]/.test(props.text) ? props.text : null;
  return json === null ? <PlainText text={props.text} /> : <Switchable {...props} json={json} />;
}

function Switchable({ name, label, text, json }: JsonProps & { readonly json: string }) {
  const [isRaw, toggle] = useOpen(usePage().parts, `${name}/as-it-came`);
  return (
    <div class="json">
      <button type="button" class="text-button json-switch" aria-pressed={isRaw} onClick={toggle}>
        As it came
      </button>
      {isRaw ? <PlainText text={text} /> : <Tree name={name} label={label} json={json} />}
    </div>
  );
}

function Tree({ name, label, json }: { name: string; label: string; json: string }) {
  const { parts } = usePage();
  const sought = useContext(Sought);
  const tree = useMemo(() => new JsonTree(json), [json]);
  const [current, setCurrent] = useState("");
  const latest = useRef("");
  const [, renderAgain] = useReducer((count: number, _: undefined) => count + 1, 0);
  const root = useRef<HTMLDivElement>(null);
  const hasKeys = useRef(false);
  useEffect(() => parts.listen(() => renderAgain(undefined)), [parts]);

  const view: TreeView = {
    chosen: (key) => (parts.has(`${name}/opened${key}`) ? true : parts.has(`${name}/closed${key}`) ? false : null),
    asked: (key) => PARTS_SHOWN * (1 + parts.named(`${name}/more${key}:`).length),
    sought,
  };
  const lines = tree.lines(view);
  // The one line that the Tab key reaches; the arrows go on from there.
  const focusable = lines.some(({ key }) => key === current) ? current : "";
  latest.current = focusable;

  // With the drawing and not after it: the next key may come in between.
  useLayoutEffect(() => {
    if (hasKeys.current) root.current?.querySelector<HTMLElement>("[role=treeitem][tabindex='0']")?.focus();
    hasKeys.current = false;
  });

  function focus(key: string | undefined): void {
    if (key === undefined) return;
    hasKeys.current = true;
    latest.current = key;
    setCurrent(key);
    renderAgain(undefined);
  }

  function turn(line: TreeLine, open: boolean): void {
    parts.set(`${name}/opened${line.key}`, open);
    parts.set(`${name}/closed${line.key}`, !open);
  }

  function press(line: TreeLine): void {
    setCurrent(line.key);
    if (line.kind === "more") parts.set(`${name}/more${line.of}:${line.shown}`, true);
    else if (isFoldable(line)) turn(line, !line.open);
  }

  function keyDown(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    // As they are now: the key before may have changed what is not drawn yet.
    const lines = tree.lines(view);
    const at = Math.max(0, lines.findIndex(({ key }) => key === latest.current));
    const line = lines[at];
    if (line === undefined) return;
    const isOpen = isFoldable(line) && line.open;
    switch (event.key) {
      case "ArrowDown":
        focus(lines[at + 1]?.key);
        break;
      case "ArrowUp":
        focus(lines[at - 1]?.key);
        break;
      case "Home":
        focus(lines[0]?.key);
        break;
      case "End":
        focus(lines.at(-1)?.key);
        break;
      case "ArrowRight":
        if (isOpen) focus(lines[at + 1]?.level === line.level + 1 ? lines[at + 1]?.key : undefined);
        else if (isFoldable(line)) turn(line, true);
        break;
      case "ArrowLeft":
        if (isOpen) turn(line, false);
        else focus(lines.findLast((other, index) => index < at && other.level < line.level)?.key);
        break;
      case "Enter":
      case " ":
        // As a click, so that the list holds still.
        if (event.target instanceof HTMLElement && event.target.role === "treeitem") event.target.click();
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div role="tree" aria-label={visibleText(label)} class="json-tree" ref={root} onKeyDown={keyDown}>
      {lines.map((line) => (
        <div
          key={line.key}
          role="treeitem"
          class={`json-line ${line.kind}`}
          aria-level={line.level}
          aria-posinset={line.position}
          aria-setsize={line.neighbours}
          {...(isFoldable(line) ? { "aria-expanded": line.open } : {})}
          tabIndex={line.key === focusable ? 0 : -1}
          style={{ "--level": String(Math.min(line.level, LEVELS_INDENTED) - 1) }}
          onClick={() => press(line)}
        >
          {isFoldable(line) ? <Icon name="chevron" class={line.open ? "json-mark open" : "json-mark"} /> : <span class="json-mark" />}
          <span class="json-content">
            {line.name !== null && (
              <span class="json-label">
                <span class="json-name">{visibleText(line.name)}</span>
                {": "}
              </span>
            )}
            <Value line={line} />
          </span>
        </div>
      ))}
    </div>
  );
}

/** Deeper ones are not indented further: there would be no room for what they say. */
const LEVELS_INDENTED = 12;
/** What is shown of a string that is folded. */
const STRING_BEGINNING = 120;

type Foldable = Extract<TreeLine, { readonly open: boolean }>;

function isFoldable(line: TreeLine): line is Foldable {
  if (line.kind === "object" || line.kind === "list") return line.count > 0;
  return line.kind === "string" && line.foldable;
}

function Value({ line }: { line: TreeLine }) {
  switch (line.kind) {
    case "object":
    case "list":
      return <Container line={line} />;
    case "more":
      return <span class="json-more">{countWords(line.rest, "more", "more")}: show the next {Math.min(line.rest, PARTS_SHOWN)}</span>;
    case "string":
      return <Text line={line} />;
    default:
      return <span class={`json-${line.kind}`}>{visibleText(line.text)}</span>;
  }
}

function Container({ line: { kind, count, open, beginning } }: { line: Extract<TreeLine, { kind: "object" | "list" }> }) {
  if (count === 0) return <span class="json-count">{kind === "object" ? "{}" : "[]"}</span>;
  return (
    <>
      <span class="json-count">{kind === "object" ? `{${countWords(count, "key", "keys")}}` : `[${countWords(count, "item", "items")}]`}</span>
      {!open && (
        <span class="json-beginning" aria-hidden="true">
          {visibleText(beginning)}
        </span>
      )}
    </>
  );
}

function Text({ line: { text, foldable, open } }: { line: Extract<TreeLine, { kind: "string" }> }) {
  if (!foldable) return <span class="json-string" dir="auto">{`"${visibleText(text)}"`}</span>;
  const count = <span class="json-count">{countWords(text.length, "character", "characters")}</span>;
  if (!open) {
    const beginning = text.split("\n", 1)[0]?.slice(0, STRING_BEGINNING) ?? "";
    return (
      <>
        <span class="json-string" dir="auto">{`"${visibleText(beginning)}…`}</span> {count}
      </>
    );
  }
  return (
    <>
      {count}
      {/* What is read and copied here does not fold it. */}
      <div onClick={(event) => event.stopPropagation()}>
        <PlainText text={text} />
      </div>
    </>
  );
}
