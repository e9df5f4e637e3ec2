// When to tell the server what has come: it sends at most 1,000 events or 1 MiB without being told, and a tenth of that
// keeps it from ever pausing. Of states it sends 4 MiB; a quarter of that keeps them coming.

const EVENTS = 100;
const CHARACTERS = 100 * 1024;
const STATE_CHARACTERS = 1024 * 1024;

export class Acknowledgements {
  #events = 0;
  #characters = 0;
  #state_characters = 0;

  /** Whether anything came since the last one. */
  get isOwed(): boolean {
    return this.#events > 0;
  }

  /** True where it is time to send one. */
  add(events: number, characters: number): boolean {
    this.#events += events;
    this.#characters += characters;
    return this.#events >= EVENTS || this.#characters >= CHARACTERS;
  }

  /** True where it is time to send one because of states alone. */
  addState(characters: number): boolean {
    this.#state_characters += characters;
    return this.#state_characters >= STATE_CHARACTERS;
  }

  clear(): void {
    [this.#events, this.#characters, this.#state_characters] = [0, 0, 0];
  }
}
