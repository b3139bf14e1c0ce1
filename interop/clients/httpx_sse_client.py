"""httpx-sse on the URL that is named. It reconnects with the ID of the last event of whatever type, since httpx-sse does not
reconnect. It parses the data of each event as JSON, and prints the event as a line of JSON: `thrown` is the error of the parser."""
import json
import sys
import time

import httpx
from httpx_sse import connect_sse

last_event_id = ""
retry_ms = 100


def show(event):
    thrown = ""
    try:
        event.json()
    except ValueError as error:
        thrown = str(error)
    print(json.dumps({"type": event.event, "data": event.data, "id": event.id, "thrown": thrown}), flush=True)


with httpx.Client(timeout=httpx.Timeout(5, read=None)) as client:
    while True:
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        try:
            with connect_sse(client, "GET", sys.argv[1], headers=headers) as source:
                source.response.raise_for_status()
                for event in source.iter_sse():
                    last_event_id = event.id
                    retry_ms = retry_ms if event.retry is None else event.retry
                    show(event)
        except httpx.TransportError:
            pass
        time.sleep(retry_ms / 1000)
