#!/usr/bin/env bash
# An integer that is bound to a Durable Object's SQL arrives as a floating-point number.
#
# Version: miniflare 4.20260730.0 (npm), which brings workerd. Source: run here.
# Behaviour: `exec("… VALUES (?)", 5)` binds 5.0. A TEXT column stores "5.0", and `7 / ?` with 2 is 3.5; the same literals
#   in the statement are integers. Other bindings of SQLite to JavaScript bind a whole number as an integer.
# Seen: text 5.0, quotient 3.5; with literals 5 and 3.
# For us: tables are STRICT with INTEGER columns, which turn it back, and nothing divides by a parameter.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
timeout 240 npm install --silent --no-audit --no-fund miniflare@4.20260730.0
cat >run.mjs <<'JS'
import { Miniflare } from "miniflare";
const script = `
import { DurableObject } from "cloudflare:workers";
export class Table extends DurableObject {
  fetch() {
    const sql = this.ctx.storage.sql;
    sql.exec("CREATE TABLE t (bound TEXT, literal TEXT)");
    sql.exec("INSERT INTO t VALUES (?, 5)", 5);
    const { bound, literal } = sql.exec("SELECT * FROM t").one();
    const { divided } = sql.exec("SELECT 7 / ? AS divided", 2).one();
    const { whole } = sql.exec("SELECT 7 / 2 AS whole").one();
    return new Response(\`text \${bound}, quotient \${divided}; with literals \${literal} and \${whole}\`);
  }
}
export default { fetch: (request, env) => env.TABLE.get(env.TABLE.idFromName("one")).fetch(request) };`;
const runtime = new Miniflare({
  modules: true, script, compatibilityDate: "2026-07-01", cf: false,
  durableObjects: { TABLE: { className: "Table", useSQLite: true } },
});
console.log(await (await runtime.dispatchFetch("http://localhost/")).text());
await runtime.dispose();
JS
seen="$(timeout 60 node run.mjs)"
expected="text 5.0, quotient 3.5; with literals 5 and 3"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "The behaviour has changed; expected:" >&2; echo "$expected" >&2; exit 1; }
