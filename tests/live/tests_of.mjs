// Tests of a program that may not be there.

import { describe, it } from "node:test";

/** The tests of a program; where it is missing they are one test that is skipped and says why. */
export const testsOf = (missing, name, tests) => (missing === undefined ? describe(name, tests) : it(name, { skip: missing }));
