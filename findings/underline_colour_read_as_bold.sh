#!/usr/bin/env bash
# The terminal model vt100 reads the numbers of an underline colour as attributes of their own.
#
# Version: vt100 0.18.1 (crates.io). Source: the crate's own parser, run here.
# Behaviour: `ESC [ 58 ; 2 ; R ; G ; B m` sets the underline's colour, in one sequence of five numbers, as 38 and 48 do for
#   text and background. The crate skips the 58 and goes on with the rest: 1 makes bold, 3 italic, 7 inverse.
# Seen: `58;2;1;3;7` makes the text bold, italic and inverse; `38;2;1;3;7` makes it none of them.
# For us: a model that does not know a colour's number has to skip its arguments, too.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "underline"
version = "0.0.0"
edition = "2021"
[dependencies]
vt100 = "=0.18.1"
TOML
cat >src/main.rs <<'RS'
fn main() {
    for parameters in ["58;2;1;3;7", "38;2;1;3;7"] {
        let mut parser = vt100::Parser::new(2.try_into().expect("not 0"), 20.try_into().expect("not 0"), 0);
        parser.process(format!("\x1b[{parameters}mX").as_bytes());
        let cell = parser.screen().cell(0, 0).expect("the first cell");
        println!("{parameters} bold {} italic {} inverse {}", cell.bold(), cell.italic(), cell.inverse());
    }
}
RS
seen="$(timeout 300 cargo run --quiet)"
expected="58;2;1;3;7 bold true italic true inverse true
38;2;1;3;7 bold false italic false inverse false"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "The behaviour has changed; expected:" >&2; echo "$expected" >&2; exit 1; }
