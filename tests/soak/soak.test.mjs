// The oracle on the real thing: 100,000 events through workerd with the real control server, while the town is thrown
// out of memory, workerd and the control server are killed, and viewers are cut, at random by a seed that is printed.
//
//   npm test -- soak
//   TOWNWATCH_SOAK_MINUTES=60 npm test -- soak      (longer: the same again with other seeds)
//   TOWNWATCH_SOAK_SEED=123 npm test -- soak        (the same faults again; what is under way when they come is not)

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, describe, it } from "node:test";

import { runPhase } from "./phase.mjs";

const PHASE_EVENTS = 50_000;
const LEAST = { events: 100_000, evictions: 20, workerKills: 5, controlKills: 5, cuts: 200, elidedGaps: 1 };
/** What once through takes. */
const MINUTES = 3;
const minutes = Number(process.env.TOWNWATCH_SOAK_MINUTES ?? MINUTES);
const firstSeed = Number(process.env.TOWNWATCH_SOAK_SEED ?? randomInt(1 << 30));

for (let time = 0; time < Math.max(1, Math.round(minutes / MINUTES)); time += 1) {
  const seed = firstSeed + time;
  describe(`a town under fire, seed ${seed}`, () => {
    const total = Object.fromEntries(Object.keys(LEAST).map((key) => [key, 0]));
    const phase = async (wishes) => {
      console.log(`soak: ${wishes.name}, seed ${seed}`);
      const counts = await runPhase({ seed, events: PHASE_EVENTS, ...wishes });
      console.log(`soak: ${wishes.name}, ${JSON.stringify(counts)}`);
      for (const key of Object.keys(total)) total[key] += counts[key];
    };

    it("is evicted again and again, and its control server killed", () =>
      phase({
        ...{ name: "evictions", rounds: 8, cap: 2_000, evictable: true, pulls: false },
        faults: async (town, round, quiet) => {
          if (!quiet && round % 4 === 2) await town.killControl();
          // Evicted right after it, while somebody is still to be told what was left out.
          if (quiet && round % 4 === 3) await town.burst();
          for (let count = 0; quiet && count < 3; count += 1) await town.evict();
        },
      }));

    it("loses workerd and the control server in the middle of everything", () =>
      phase({
        ...{ name: "kills", rounds: 8, cap: 1_000 },
        faults: async (town, round, quiet) => {
          if (quiet) return;
          if (round % 2 === 1 || round === 4) await town.killWorker();
          if (round % 2 === 0 && round !== 8) await town.killControl();
        },
      }));

    it("has been under as much fire as it should", () => {
      console.log(`soak: seed ${seed}, ${JSON.stringify(total)}`);
      for (const [key, least] of Object.entries(LEAST)) assert.ok(total[key] >= least, `${key}: ${total[key]}, at least ${least}`);
    });
  });
}

after(() => setTimeout(() => process.exit(), 1_000).unref());
