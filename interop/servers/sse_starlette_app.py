"""sse-starlette under uvicorn: three numbered events for each connection, going on after the last event ID.

Its lines end with CR LF, and it sends pings as comments.
"""
import asyncio

import uvicorn
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.routing import Route

EVENTS_PER_CONNECTION = 3


async def sse(request):
    last = int(request.headers.get("last-event-id", "0"))

    async def events():
        for number in range(last + 1, last + 1 + EVENTS_PER_CONNECTION):
            yield ServerSentEvent(f"{number}\nüber", event="counter", id=str(number), retry=100, comment="a comment")
            await asyncio.sleep(0.03)

    return EventSourceResponse(events(), ping=0.01)


uvicorn.run(Starlette(routes=[Route("/sse", sse)]), host="127.0.0.1", port=0)
