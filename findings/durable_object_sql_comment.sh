#!/usr/bin/env bash
# A Durable Object's SQL that ends in a comment runs, is kept, and then throws.
#
# Version: miniflare 4.20260730.0 (npm), which brings workerd. Source: run here.
# Behaviour: `exec("INSERT …; -- why")` inserts the row and then throws that the code holds no statement. A caller that
#   takes the error for "nothing happened" and tries again inserts twice; a migration ending in a comment never finishes.
# Seen: "SQL code did not contain a statement.", and one row in the table.
# For us: no migration may end in a comment; a test looks (tests/core/store.rs).
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
    sql.exec("CREATE TABLE t (x INTEGER)");
    let told = "no error";
    try { sql.exec("INSERT INTO t VALUES (1); -- why"); } catch (error) { told = error.message; }
    return new Response(told + " / rows: " + sql.exec("SELECT count(*) AS n FROM t").one().n);
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
expected="SQL code did not contain a statement. / rows: 1"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "The behaviour has changed; expected:" >&2; echo "$expected" >&2; exit 1; }
