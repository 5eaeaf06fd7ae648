"""A server that the story started is at OZ_SERVER_URL, with the key OZ_API_KEY."""

import oz
import pytest

NOWHERE = {"worker_host": "nowhere"}  # No such worker: the run stays queued for ever.


@pytest.fixture()
def client():
    with oz.Oz() as client:
        yield client


@pytest.fixture()
def queued(client):
    """A run that stays queued."""
    made = client.runs.create(prompt="Wait here.", title="Waits", config=NOWHERE)
    yield made
    if client.runs.get(made.run_id).state == "QUEUED":
        client.runs.cancel(made.run_id)
