"""mercure-publisher: `HUB KEY GRANT UPDATE`, an update as JSON, prints the ID. It makes the token itself."""
import json
import sys

from mercure_publisher import MercureConfig, MercurePublisher

hub, key, grant, update = sys.argv[1:]
update = json.loads(update)
config = MercureConfig(hub_url=hub, publisher_jwt_key=key, publish_topics=[grant])
with MercurePublisher(config) as publisher:
    fields = {name: update[name] for name in ("private", "id", "type", "retry")}
    print(publisher.publish(update["topics"], update["data"], **fields))
