"""A control plane and a worker in one program: runs that come are done by an agent of one's own."""

import threading
from collections.abc import Iterator

import oz


class Greeter(oz.Harness):
    """Greets who is named, one after the other."""

    name = "greeter"

    def __init__(self) -> None:
        self.stopped = threading.Event()

    def start(self, task: oz.HarnessTask) -> Iterator[oz.HarnessEvent]:
        for word in task.prompt.split():
            if self.stopped.is_set():
                yield oz.HarnessEventState(state="cancelled")
                return
            yield oz.HarnessEventText(text=f"Hello, {word}.")
        yield oz.HarnessEventState(state="succeeded", message="Everybody is greeted.")

    def cancel(self) -> None:
        self.stopped.set()


def execute(task: oz.WorkTask) -> None:
    """Does one run."""
    print("working on", task.prompt)
    task.run(Greeter())


def main() -> None:
    """Serves, works, and dispatches one run."""
    stop = oz.Stop()
    with oz.serve() as plane:
        client = plane.client()
        worker = threading.Thread(target=lambda: oz.work(execute, client=client, worker_id="greeters", stop=stop))
        worker.start()
        try:
            created = client.runs.create(prompt="Ada Grace", config={"worker_host": "greeters"})
            run = client.runs.wait(created.run_id)
            print(run.state, run.status_message.message if run.status_message else "")
        finally:
            stop.set()
            worker.join()


if __name__ == "__main__":
    main()
