"""The resource of the interface model-adapter: componentize-py looks for it in a module of that name."""

from componentize_py_types import Err
from logic import Answer, Failure, count
from wit_world.exports import model_adapter
from wit_world.imports import types

FINISH = {"stop": types.FinishReason.STOP, "length": types.FinishReason.LENGTH}


class Decoder(model_adapter.Decoder):
    def __init__(self, status, headers, settings):
        self.answer, self.model = Answer(status, headers), settings.model

    def push(self, bytes):
        return [model_adapter.Event_Text(text) for text in self.answer.push(bytes)]

    def finish(self):
        try:
            last = self.answer.finish()
        except Failure as failure:
            raise error(failure) from None
        usage = types.Usage(count(last.get("prompt_eval_count")), count(last.get("eval_count")))
        finish = FINISH.get(last.get("done_reason"), types.FinishReason.OTHER)
        return types.Completion(self.answer.text, finish, usage, str(last.get("model") or self.model))


def error(failure):
    """A Failure as the contract has it."""
    return Err(getattr(types, f"ModelError_{failure.case}")(failure.detail))
