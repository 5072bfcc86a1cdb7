"""Ollama's own wire format, https://github.com/ollama/ollama/blob/main/docs/api.md: one JSON object a
line while it streams, one object otherwise."""

import codecs
import json.scanner

# The parser in C recurses without a bound that holds in the sandbox; this one ends as a RecursionError.
JSON = json.JSONDecoder()
JSON.scan_once = json.scanner.py_make_scanner(JSON)


class Failure(Exception):
    """A model-error: its case, and what goes with it."""

    def __init__(self, case, detail):
        super().__init__(case, detail)
        self.case, self.detail = case, detail


def body(model, messages, stream, options, extra):
    """The body of a request. `messages`: pairs of role and content; options that are None are left out."""
    options = {key: value for key, value in options.items() if value is not None and value != []}
    for key, value in extra:
        try:
            options[key] = JSON.decode(value)
        except ValueError:
            raise Failure("InvalidRequest", f"extra.{key} = {value}: not JSON") from None
    messages = [{"role": role, "content": content} for role, content in messages]
    return json.dumps({"model": model, "messages": messages, "stream": stream, "options": options}).encode()


class Answer:
    """Reads one response, cut anywhere."""

    def __init__(self, status, headers):
        self.status, self.headers = status, dict(headers)
        self.decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self.rest, self.text, self.last, self.bad = "", "", None, None

    def push(self, data):
        """Takes bytes and returns the texts that they complete."""
        self.rest += self.decoder.decode(data)
        if self.status != 200:
            return []  # An error is one body, whatever its lines.
        *lines, self.rest = self.rest.split("\n")
        return [text for text in map(self._read, lines) if text]

    def finish(self):
        """The last message, or a Failure."""
        self.rest += self.decoder.decode(b"", final=True)
        if self.status != 200:
            raise self._failure()
        self._read(self.rest)
        if self.bad is not None:
            raise Failure("Malformed", f"not a message: {self.bad[:200]}")
        if self.last is None:
            raise Failure("Malformed", "the answer ends before its last message")
        return self.last

    def _read(self, line):
        if not line.strip() or self.bad is not None:
            return ""
        try:
            message = JSON.decode(line)
            text = message.get("message", {}).get("content", "")
            if "error" in message:
                raise ValueError
            self.text += text
        except (ValueError, TypeError, AttributeError, RecursionError):
            self.bad = line
            return ""
        if message.get("done") is True:
            self.last = message
        return text

    def _failure(self):
        try:
            said = str(JSON.decode(self.rest)["error"])
        except (ValueError, TypeError, KeyError, RecursionError):
            said = self.rest[:1000]  # Not Ollama's own words: a proxy's page, most likely.
        seconds = self.headers.get("retry-after", "")
        wait = int(seconds) * 1000 if seconds.isascii() and seconds.isdigit() and len(seconds) < 7 else None
        if self.status == 429:
            return Failure("RateLimited", wait)
        if self.status >= 500:
            return Failure("Overloaded", wait)
        case = "Auth" if self.status in (401, 403) else "InvalidRequest"
        return Failure(case, f"{self.status}: {said}")


def count(value):
    return value if isinstance(value, int) and 0 < value < 2**63 else 0
