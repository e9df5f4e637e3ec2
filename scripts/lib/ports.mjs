// The ports of local development.

import net from "node:net";
import { CONTROL_DEFAULTS } from "./control_settings.mjs";
import { endLeft, holderOf } from "./port_holder.mjs";
import { Problem } from "./problem.mjs";

/**
 * What Chrome and editors try by themselves is the debugger's.
 *
 * @type {{ [name: string]: number }}
 */
const DEFAULTS = { PORT: 8787, CONTROL_PORT: CONTROL_DEFAULTS.CONTROL_PORT, INSPECT_PORT: 9229 };

/** The ports that the environment or the defaults give; that of the debugger where there is one. */
export function ports({ inspect = false } = {}) {
  const names = Object.keys(DEFAULTS).slice(0, inspect ? 3 : 2);
  const [port, controlPort, inspectPort] = names.map(portOf);
  const all = [port, controlPort, inspectPort];
  const twice = names.findIndex((_, index) => all.indexOf(all[index]) < index);
  if (twice > 0) throw new Problem(`${names[all.indexOf(all[twice])]} and ${names[twice]} are both ${all[twice]}`, { remedy: "choose another" });
  return { port, controlPort, inspectPort };
}

/** @param {string} name */
function portOf(name) {
  const text = process.env[name]?.trim() || String(DEFAULTS[name]);
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535) return Number(text);
  throw new Problem(`${name}: expected an integer from 1 to 65535, not ${JSON.stringify(text)}`);
}

/**
 * Refuses a port that somebody else has, and says who. `name`: the variable that chooses it. With `replace` what an earlier
 * `npm run dev` left behind there is ended.
 *
 * @param {string} name
 * @param {number} port
 */
export async function checkPort(name, port, { replace = false } = {}) {
  // A browser tries both addresses of `localhost`.
  for (const host of ["127.0.0.1", "::1"]) {
    if (!(await isTaken(port, host))) continue;
    const holder = holderOf(port);
    if (replace && holder?.isLeft && (await endLeft(holder)) && !(await isTaken(port, host))) {
      console.log(`ended what an earlier \`npm run dev\` had left on port ${port} (process ${holder.pid})`);
      continue;
    }
    throw taken(name, port, holder);
  }
}

/**
 * @param {string} name
 * @param {number} port
 * @param {ReturnType<typeof holderOf>} holder
 */
function taken(name, port, holder) {
  const another = `${name}=${port + 10} npm run dev`;
  const who = holder && `${holder.command.slice(0, 120)} (process ${holder.pid})`;
  if (holder?.isLeft) {
    const remedy = `npm run dev -- --replace ends it first; or leave it and choose another port: ${another}`;
    return new Problem(`port ${port} is held by what an earlier \`npm run dev\` of this folder left behind when it was killed: ${who}`, { remedy });
  }
  if (holder?.dev) {
    return new Problem(`port ${port} is in use by another \`npm run dev\` (process ${holder.dev})`, { remedy: `stop it, or choose another port: ${another}` });
  }
  return new Problem(`port ${port} is in use by ${who ?? "another program"}; stop it or choose another: ${another}`);
}

/**
 * @param {number} port
 * @param {string} host
 * @returns {Promise<boolean>}
 */
function isTaken(port, host) {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code === "EADDRINUSE") resolve(true);
      else if (error.code === "EACCES") reject(new Problem(`port ${port}: not allowed to listen there`));
      else resolve(false); // no IPv6 here
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(false)));
  });
}
