"""Publishes from Python: python3 publish.py [TEXT]"""

import json
import os
import sys
from urllib.request import Request, urlopen

hub = os.environ.get("FANFARE_HUB") or "http://127.0.0.1:3000"
text = sys.argv[1] if len(sys.argv) > 1 else "hello from Python"

request = Request(f"{hub}/topics/greetings?type=greeting", data=json.dumps({"text": text}).encode())
if token := os.environ.get("FANFARE_TOKEN"):
    request.add_header("Authorization", f"Bearer {token}")

with urlopen(request) as answer:  # raises HTTPError if the hub refuses
    print(answer.read().decode(), end="")  # the ID of the update; by now it is on disk
