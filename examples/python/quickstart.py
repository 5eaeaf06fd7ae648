"""Dispatches a run, follows it, and prints what came of it."""

import sys

import oz


def main(prompt: str) -> None:
    """Has the prompt done."""
    with oz.Oz() as client:
        created = client.runs.create(prompt=prompt, metadata={"example": "quickstart"})
        for item in created.watch():
            if isinstance(item, oz.LogItemEvent):
                print(f"{item.event.occurred_at:%H:%M:%S} {item.event.event_type}")
        run = client.runs.wait(created.run_id)
        print(run.state, run.status_message.message if run.status_message else "")
        for artifact in run.artifacts:
            if isinstance(artifact, oz.ArtifactItemPullRequest):
                print("pull request:", artifact.data.url)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "fix the failing test")
