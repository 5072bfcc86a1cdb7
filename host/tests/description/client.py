"""A task from submission to green, by the client that openapi-python-client makes of the description.

client.py URL SAMPLE: SAMPLE is a folder with goal.txt and files/.
"""

import os
import pathlib
import sys
import time

from aiagent_client import AuthenticatedClient
from aiagent_client.api.tasks import diff, show, submit
from aiagent_client.models import Accepted, FileBody, Problem, State, SubmitBody

url, sample = sys.argv[1], pathlib.Path(sys.argv[2])
client = AuthenticatedClient(base_url=url, token=os.environ["TOKEN"], raise_on_unexpected_status=True)
files = [
    FileBody(path=str(path.relative_to(sample / "files")), content=path.read_text())
    for path in sorted((sample / "files").rglob("*"))
    if path.is_file()
]
body = SubmitBody(goal=(sample / "goal.txt").read_text(), files=files, tests=[file.path for file in files])

accepted = submit.sync(client=client, body=body)
assert isinstance(accepted, Accepted), accepted
deadline = time.monotonic() + 60
while (task := show.sync(accepted.id, client=client)).state != State.ENDED:
    assert time.monotonic() < deadline, task
    time.sleep(0.1)
assert task.outcome.reason.kind == "green", task.outcome
assert "+def fizz" in diff.sync(accepted.id, client=client)

wrong = submit.sync(client=client, body=SubmitBody(goal=""))
assert isinstance(wrong, Problem) and wrong.status == 422, wrong
print(f"description: task {accepted.id} is green after {task.spend.rounds} rounds")
