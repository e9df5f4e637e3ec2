// Code in pieces that have a meaning, for the languages that agents write most.

import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import csharp from "highlight.js/lib/languages/csharp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import dockerfile from "highlight.js/lib/languages/dockerfile";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import kotlin from "highlight.js/lib/languages/kotlin";
import makefile from "highlight.js/lib/languages/makefile";
import markdown from "highlight.js/lib/languages/markdown";
import php from "highlight.js/lib/languages/php";
import python from "highlight.js/lib/languages/python";
import ruby from "highlight.js/lib/languages/ruby";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import swift from "highlight.js/lib/languages/swift";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import { createLowlight } from "lowlight";
import type { Token } from "./messages.ts";

const lowlight = createLowlight({
  bash, c, cpp, csharp, css, diff, dockerfile, go, ini, java, javascript, json, kotlin, makefile, markdown, php, python, ruby,
  rust, sql, swift, typescript, xml, yaml,
});

type Children = ReturnType<typeof lowlight.highlight>["children"];

/** Null where the language is not known. */
export function highlighted(language: string, code: string): Token[] | null {
  const name = language.toLowerCase();
  if (!lowlight.registered(name)) return null;
  const tokens: Token[] = [];
  collect(lowlight.highlight(name, code).children, "", tokens);
  return tokens;
}

function collect(nodes: Children, what: string, tokens: Token[]): void {
  for (const node of nodes) {
    if (node.type === "text") tokens.push([what, node.value]);
    else if (node.type === "element") {
      const names = node.properties.className;
      const [name] = Array.isArray(names) ? names : [];
      collect(node.children as Children, typeof name === "string" ? name : what, tokens);
    }
  }
}
