"""httpx-sse on the URL that is named. Prints each event as a line of JSON. It reconnects, since httpx-sse does not."""
import json
import sys
import time

import httpx
from httpx_sse import connect_sse

last_event_id = ""
retry_ms = 100

with httpx.Client(timeout=httpx.Timeout(5, read=None)) as client:
    while True:
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        try:
            with connect_sse(client, "GET", sys.argv[1], headers=headers) as source:
                source.response.raise_for_status()
                for event in source.iter_sse():
                    last_event_id = event.id
                    retry_ms = retry_ms if event.retry is None else event.retry
                    print(json.dumps({"type": event.event, "data": event.data, "id": event.id}), flush=True)
        except httpx.TransportError:
            pass
        time.sleep(retry_ms / 1000)
