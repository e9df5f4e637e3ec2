// How a line is opened by each transport.

import { openEventLine } from "./event_line.ts";
import type { OpenLine, Transport } from "./line.ts";
import { openPollLine } from "./poll_line.ts";
import { openSocketLine } from "./socket_line.ts";

export const OPENERS: Readonly<Record<Transport, OpenLine>> = {
  web_socket: openSocketLine,
  event_stream: openEventLine,
  long_poll: openPollLine,
};
