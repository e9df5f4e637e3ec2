// The statements of an object, and the counters that its metrics show.

export class Store {
  readonly sql: SqlStorage;
  #rowsRead = 0;
  #rowsWritten = 0;
  alarms = 0;
  events = 0;
  frames = 0;

  constructor(sql: SqlStorage) {
    this.sql = sql;
  }

  all<Row>(statement: string, ...parameters: SqlValue[]): Row[] {
    const cursor = this.sql.exec<Row>(statement, ...parameters);
    const rows = cursor.toArray();
    this.#count(cursor);
    return rows;
  }

  /** The first row of a statement that always has one. */
  one<Row>(statement: string, ...parameters: SqlValue[]): Row {
    const [row] = this.all<Row>(statement, ...parameters);
    if (row === undefined) throw new Error(`no row: ${statement}`);
    return row;
  }

  /** The rows one by one, for a reader that may not want all of them. */
  *each<Row>(statement: string, ...parameters: SqlValue[]): Generator<Row> {
    const cursor = this.sql.exec<Row>(statement, ...parameters);
    try {
      yield* cursor;
    } finally {
      this.#count(cursor);
    }
  }

  #count(cursor: SqlCursor<unknown>) {
    this.#rowsRead += cursor.rowsRead;
    this.#rowsWritten += cursor.rowsWritten;
  }

  /** The counters in the form that Townwatch's metrics have. */
  metrics(kind: "town" | "rig", id: string): Response {
    const counters = {
      sql_rows_read_total: this.#rowsRead,
      sql_rows_written_total: this.#rowsWritten,
      alarms_set_total: this.alarms,
      events_stored_total: this.events,
      stream_frames_sent_total: this.frames,
    };
    const lines = Object.entries(counters).map(([name, value]) => `townwatch_${name}{${kind}_id="${id}"} ${value}\n`);
    return new Response(lines.join(""), { headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" } });
  }
}
