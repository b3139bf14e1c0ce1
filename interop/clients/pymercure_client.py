"""pymercure. `publish HUB TOKEN UPDATE`, an update as JSON, prints the ID; `subscribe HUB TOPIC…` says that it does, and prints
each event as a line of JSON. It does not parse the data."""
import json
import sys
import threading

from pymercure.consumer import Consumer
from pymercure.message import Message
from pymercure.publisher.sync import SyncPublisher


def publish(hub, token, update):
    update = json.loads(update)
    message = Message(update["topics"], update["data"], message_id=update["id"], event_type=update["type"])
    print(SyncPublisher(hub, token).publish(message))


def subscribe(hub, *topics):
    told = threading.Event()

    # pymercure calls this on a thread of its own.
    def on_message(message):
        told.wait()
        event = {"type": message.event_type, "data": message.data, "id": message.message_id, "thrown": ""}
        print(json.dumps(event), flush=True)

    Consumer(hub, list(topics), on_message).start_consumption()
    print("subscribed", flush=True)
    told.set()


{"publish": publish, "subscribe": subscribe}[sys.argv[1]](*sys.argv[2:])
