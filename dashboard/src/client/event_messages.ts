// The messages of an event stream (server-sent events), cut out of its text as it comes.

export interface EventMessage {
  readonly name: string;
  readonly data: string;
}

export class EventMessages {
  #rest = "";
  #name = "";
  #data: string[] = [];

  /** The messages that this piece completes. */
  take(piece: string): EventMessage[] {
    const messages: EventMessage[] = [];
    const lines = (this.#rest + piece).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const message = this.#line(line.endsWith("\r") ? line.slice(0, -1) : line);
      if (message !== null) messages.push(message);
    }
    return messages;
  }

  #line(line: string): EventMessage | null {
    if (line === "") {
      const message = { name: this.#name, data: this.#data.join("\n") };
      const complete = this.#data.length > 0;
      this.#name = "";
      this.#data = [];
      return complete ? message : null;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#name = value;
    else if (field === "data") this.#data.push(value);
    return null;
  }
}
