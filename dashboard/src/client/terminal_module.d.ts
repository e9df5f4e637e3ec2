// What `npm run build` makes of `terminal/` for the page; vite.config.ts says where it lies.

declare module "terminal-module" {
  /** Fetches and starts the WebAssembly; afterwards the class works. */
  export default function start(): Promise<unknown>;

  export class PageTerminal {
    feed(source: number, text: string): void;
    changes(): ScreenUpdate;
    link(number: number): string | undefined;
    free(): void;
  }

  export interface ScreenUpdate {
    readonly dropped: number;
    readonly from: number;
    readonly text: string;
    readonly spans: Uint32Array;
    free(): void;
  }
}
