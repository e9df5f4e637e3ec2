// The little of Node's own modules that tests use, so that they are type-checked without another dependency.

declare module "node:test" {
  export function test(name: string, run: () => void | Promise<void>): void;
}

declare module "node:assert/strict" {
  interface Assert {
    equal(actual: unknown, expected: unknown, message?: string): void;
    deepEqual(actual: unknown, expected: unknown, message?: string): void;
    ok(value: unknown, message?: string): asserts value;
  }
  const assert: Assert;
  export default assert;
}

declare const performance: { now(): number };

declare module "node:fs" {
  export function readFileSync(path: string): Uint8Array;
}

interface ImportMeta {
  readonly dirname: string;
}
