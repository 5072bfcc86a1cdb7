"""The bare model: one OpenAI-compatible chat completion, and the code in its answer."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from dataclasses import dataclass

FENCE = re.compile(r"^```[^\n`]*\n(.*?)(?:^```|\Z)", re.MULTILINE | re.DOTALL)


@dataclass
class Answer:
    text: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float


def ask(url: str, model: str, messages: list[dict], *, temperature: float, max_tokens: int, seed: int | None = None,
        timeout: float = 900.0) -> Answer:
    """One request. Raises `urllib.error.URLError` or `OSError` where the model can't be reached."""
    body = {"model": model, "messages": messages, "temperature": temperature, "max_tokens": max_tokens}
    if seed is not None:
        body["seed"] = seed
    request = urllib.request.Request(
        url.rstrip("/") + "/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
    start = time.monotonic()
    with urllib.request.urlopen(request, timeout=timeout) as response:
        reply = json.load(response)
    usage = reply["usage"]
    return Answer(reply["choices"][0]["message"]["content"], usage["prompt_tokens"], usage["completion_tokens"],
                  time.monotonic() - start)


def code_of(answer: str, entry_point: str) -> str:
    """The fence that defines `entry_point`, else the longest, else the whole answer."""
    blocks = FENCE.findall(answer)
    if not blocks:
        return answer
    defining = [b for b in blocks if re.search(rf"^def {re.escape(entry_point)}\b", b, re.MULTILINE)]
    return max(defining or blocks, key=len)


def preamble(prompt: str, entry_point: str) -> str:
    """What stands above the function in the prompt: imports and helpers that the answer may take for granted."""
    match = list(re.finditer(rf"^def {re.escape(entry_point)}\b", prompt, re.MULTILINE))[-1]
    return prompt[: match.start()]
