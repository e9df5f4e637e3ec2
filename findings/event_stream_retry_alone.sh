#!/usr/bin/env bash
# httpx-sse makes an event of a block that holds nothing but `retry:`.
#
# Version: httpx-sse 0.4.1 (PyPI). Source: the package's own decoder, run here. The standard (WHATWG HTML, "Interpreting an
#   event stream") dispatches nothing where the data is empty; sseclient-py 1.8.0 and browsers do so.
# Behaviour: `retry: 1000` and an empty line come out as an event `message` with empty data. Who reads each event's data
#   as JSON, as the package's own `.json()` invites, fails on the first one of a stream that begins with `retry:`.
# Seen: two events, the first with data ''; sseclient-py gives one.
# For us: `retry:` has to stand in the block of a message.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
timeout 120 "$folder/python/bin/pip" --quiet --disable-pip-version-check install httpx-sse==0.4.1 httpx==0.28.1 sseclient-py==1.8.0
cat >"$folder/read.py" <<'PY'
import httpx, httpx_sse, sseclient
STREAM = b'retry: 1000\n\nid: 1\ndata: {}\n\n'
transport = httpx.MockTransport(lambda request: httpx.Response(200, headers={"content-type": "text/event-stream"}, content=STREAM))
with httpx.Client(transport=transport) as client, httpx_sse.connect_sse(client, "GET", "http://localhost/") as source:
    print("httpx-sse", [(event.event, event.data) for event in source.iter_sse()])
print("sseclient-py", [(event.event, event.data) for event in sseclient.SSEClient(iter([STREAM])).events()])
PY
seen="$(timeout 60 "$folder/python/bin/python" "$folder/read.py")"
expected="httpx-sse [('message', ''), ('message', '{}')]
sseclient-py [('message', '{}')]"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "The behaviour has changed; expected:" >&2; echo "$expected" >&2; exit 1; }
