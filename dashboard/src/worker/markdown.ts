// Markdown to a tree of nodes that the page knows. HTML in it stays the text that it is.

import type { Token, Tokens } from "marked";
import { lexer } from "marked";
import { webAddress } from "../view/web_address.ts";
import type { MarkdownNode, MarkdownTag } from "./messages.ts";

/** Deeper nesting is shown as it was written. */
const DEPTH_MAX = 24;

export function markdownTree(text: string): MarkdownNode[] {
  return ordered(nodesOf(lexer(text, { gfm: true }), 0), { level: 1 });
}

/** Headings go down step by step, as those who jump from one to the next expect; the page's own is the first. */
function ordered(nodes: readonly MarkdownNode[], last: { level: number }): MarkdownNode[] {
  return nodes.map((node) => {
    if (typeof node === "string" || node.kind !== "element") return node;
    const level = Number(/^h(\d)$/.exec(node.tag)?.[1]);
    if (Number.isNaN(level)) return { ...node, children: ordered(node.children, last) };
    last.level = Math.min(level, last.level + 1);
    return { ...node, tag: `h${last.level}` as MarkdownTag };
  });
}

function nodesOf(tokens: readonly Token[], depth: number): MarkdownNode[] {
  return tokens.flatMap((token) => nodeOf(token, depth));
}

function nodeOf(token: Token, depth: number): MarkdownNode[] {
  if (depth > DEPTH_MAX) return [token.raw];
  const inside = (): MarkdownNode[] => nodesOf(("tokens" in token ? token.tokens : undefined) ?? [], depth + 1);
  switch (token.type) {
    case "space":
    case "def":
      return [];
    case "heading":
      return [element(headingTag((token as Tokens.Heading).depth), inside())];
    case "paragraph":
      return [element("p", inside())];
    case "blockquote":
      return [element("blockquote", inside())];
    case "hr":
      return [element("hr", [])];
    case "br":
      return [element("br", [])];
    case "strong":
    case "em":
    case "del":
      return [element(token.type, inside())];
    case "codespan":
      return [element("code", [(token as Tokens.Codespan).text])];
    case "code": {
      const { lang, text } = token as Tokens.Code;
      return [{ kind: "code", language: (lang ?? "").split(/\s/, 1)[0] ?? "", code: text }];
    }
    case "list":
      return [listOf(token as Tokens.List, depth)];
    case "table":
      return [tableOf(token as Tokens.Table, depth)];
    case "link": {
      const { href } = token as Tokens.Link;
      const address = webAddress(href);
      return [address === null ? { kind: "reference", children: inside(), address: href } : { kind: "link", children: inside(), address }];
    }
    case "image": {
      const { href, text } = token as Tokens.Image;
      return [{ kind: "reference", children: [text], address: href }];
    }
    case "text":
      return "tokens" in token && token.tokens !== undefined ? inside() : [(token as Tokens.Text).text];
    case "escape":
      return [(token as Tokens.Escape).text];
    case "html":
      return (token as Tokens.HTML).block ? [element("p", [token.raw])] : [token.raw];
    default:
      // Whatever a later version of the library knows: as it was written.
      return [token.raw];
  }
}

function listOf(list: Tokens.List, depth: number): MarkdownNode {
  const items = list.items.map((item) => {
    const task: MarkdownNode[] = item.task ? [{ kind: "task", done: item.checked === true }] : [];
    return element("li", [...task, ...nodesOf(item.tokens.filter(({ type }) => type !== "checkbox"), depth + 1)]);
  });
  const made = element(list.ordered ? "ol" : "ul", items);
  return list.ordered && typeof list.start === "number" && list.start !== 1 ? { ...made, start: list.start } : made;
}

function tableOf(table: Tokens.Table, depth: number): MarkdownNode {
  const row = (cells: readonly Tokens.TableCell[], tag: "th" | "td"): MarkdownNode =>
    element("tr", cells.map((cell) => element(tag, nodesOf(cell.tokens, depth + 1))));
  return element("table", [
    element("thead", [row(table.header, "th")]),
    element("tbody", table.rows.map((cells) => row(cells, "td"))),
  ]);
}

/** The page has a heading of its own: an agent's begin one below. */
function headingTag(depth: number): MarkdownTag {
  const tags: readonly MarkdownTag[] = ["h2", "h3", "h4", "h5", "h6"];
  return tags[Math.min(depth, tags.length) - 1] ?? "h6";
}

function element(tag: MarkdownTag, children: readonly MarkdownNode[]): Extract<MarkdownNode, { kind: "element" }> {
  return { kind: "element", tag, children };
}
