"""Code in a model's answer."""


def code(answer):
    """The text of the first Markdown code block; None where there is none, or it does not end."""
    lines = answer.split("\n")
    begin = next((at for at, line in enumerate(lines) if line.startswith("```")), None)
    if begin is None:
        return None
    end = next((at for at in range(begin + 1, len(lines)) if lines[at].rstrip() == "```"), None)
    return None if end is None else "".join(line + "\n" for line in lines[begin + 1 : end])
