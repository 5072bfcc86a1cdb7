"""What needs no sandbox, and is tested without one."""


# More than any model takes.
MOST_BYTES = 256 * 1024


def problem(attempts):
    """The first problem of the attempt that the workspace holds; None where nothing says what is wrong."""
    current = next((attempt for attempt in reversed(attempts) if attempt.current), None)
    if current is None or current.report is None or not current.report.problems:
        return None
    return current.report.problems[0]


def suspect(problem, files):
    """The file to repair: the one the problem names, one that its message names, else the first of ours."""
    ours = [file.path for file in files if file.text and not file.protected and file.size <= MOST_BYTES]
    if problem.path in ours:
        return problem.path
    return next((path for path in ours if path in problem.message), ours[0] if ours else None)


def question(goal, path, code, message):
    """What the model is asked."""
    return "\n\n".join(
        [
            f"Goal: {goal}",
            f"A check says:\n{message}",
            f"{path} is now:\n```\n{code}```",
            f"Answer with the whole corrected file {path} in one Markdown code block.",
        ]
    )
