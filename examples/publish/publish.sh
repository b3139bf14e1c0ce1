#!/bin/sh
# Publishes with curl. The answer is the ID of the update; by then it is on disk.
set -eu
hub="${FANFARE_HUB:-http://127.0.0.1:3000}"

publish() {
    curl --fail-with-body --silent --show-error ${FANFARE_TOKEN:+--header "Authorization: Bearer $FANFARE_TOKEN"} "$@"
}

# The body is the data, whatever it is.
publish --data 'hello' "$hub/topics/greetings"

# A type, for which pages listen with addEventListener, and an ID of one's own.
publish --data '{"text": "hello"}' "$hub/topics/greetings?type=greeting&id=urn:greeting:$(date +%s)"

# Several at once: each line is an update, and either all are published or none.
printf 'one\ntwo\nthree\n' |
    publish --header 'Content-Type: application/x-ndjson' --data-binary @- "$hub/topics/greetings"
