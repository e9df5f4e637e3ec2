#!/usr/bin/env bash
# @xterm/headless takes the red of `38:2:R:G:B` for a colour space, and shows another colour.
#
# Version: @xterm/headless 6.0.0 (npm). Source: the package's own parser, run here.
# Behaviour: the true-colour form with colons exists in two spellings, `38:2:R:G:B` (older, and what many programs print)
#   and `38:2::R:G:B` (with an empty colour space). A reader expects both to give R, G, B, as xterm and VTE do. This one
#   reads the first as colour space R with red G, green B and blue 0.
# Seen: `38:2:10:20:30` gives 141e00; `38:2::10:20:30` and `38;2;10;20;30` give 0a141e.
# For us: the terminal model of the page and of `tail` has to read both, and xterm is no oracle for the first.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
timeout 120 npm install --silent --no-audit --no-fund --ignore-scripts @xterm/headless@6.0.0
cat >colour.mjs <<'JS'
import headless from "@xterm/headless";
const colour = async (parameters) => {
  const terminal = new headless.Terminal({ cols: 20, rows: 2, allowProposedApi: true });
  await new Promise((done) => terminal.write(`\x1b[${parameters}mX`, done));
  return terminal.buffer.active.getLine(0).getCell(0).getFgColor().toString(16).padStart(6, "0");
};
for (const parameters of ["38:2:10:20:30", "38:2::10:20:30", "38;2;10;20;30"]) console.log(parameters, await colour(parameters));
JS
seen="$(timeout 60 node colour.mjs)"
expected="38:2:10:20:30 141e00
38:2::10:20:30 0a141e
38;2;10;20;30 0a141e"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "The behaviour has changed; expected:" >&2; echo "$expected" >&2; exit 1; }
