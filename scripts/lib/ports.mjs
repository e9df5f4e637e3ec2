// The ports of local development.

import net from "node:net";
import { Problem } from "./problem.mjs";

const DEFAULTS = { PORT: 8787, CONTROL_PORT: 8788 };

/** The ports that the environment or the defaults give. */
export function ports() {
  const [port, controlPort] = Object.keys(DEFAULTS).map(portOf);
  if (port === controlPort) throw new Problem(`PORT and CONTROL_PORT are both ${port}`, { remedy: "choose two" });
  return { port, controlPort };
}

function portOf(name) {
  const text = process.env[name]?.trim() || String(DEFAULTS[name]);
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535) return Number(text);
  throw new Problem(`${name}: expected an integer from 1 to 65535, not ${JSON.stringify(text)}`);
}

/** Refuses a port that another program has. `name`: the variable that chooses it. */
export async function checkPort(name, port) {
  // A browser tries both addresses of `localhost`.
  for (const host of ["127.0.0.1", "::1"]) {
    if (await isTaken(port, host)) {
      throw new Problem(`port ${port} is in use by another program; stop it or choose another: ${name}=${port + 10} npm run dev`);
    }
  }
}

function isTaken(port, host) {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on("error", (error) => {
      if (error.code === "EADDRINUSE") resolve(true);
      else if (error.code === "EACCES") reject(new Problem(`port ${port}: not allowed to listen there`));
      else resolve(false); // no IPv6 here
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(false)));
  });
}
