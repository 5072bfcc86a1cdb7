"""What the host calls."""

from answer import code
from componentize_py_types import Err
from logic import BadSetting, question, target
from wit_world import exports
from wit_world.exports import build_step
from wit_world.imports import log, model, types, workspace


class BuildStep(exports.BuildStep):
    def build(self, task, attempts):
        try:
            path = target(task.goal, task.settings)
        except BadSetting as problem:
            raise Err(types.StepError_Settings(str(problem))) from None
        tests = [(test, _text(test)) for test in task.tests]
        failure = attempts[-1].failure if attempts else None
        log.log(types.Level.INFO, f"asking for {path}")
        message = types.Message(types.Role.USER, question(task.goal, path, tests, failure))
        try:
            completion = model.complete(types.Request([message], task.temperature, None, [], task.seed))
        except Err as error:
            raise Err(types.StepError_Model(error.value)) from None
        content = code(completion.text)
        if content is None:
            raise Err(types.StepError_UnusableAnswer("the answer has no whole code block"))
        if content == _text(path):
            raise Err(types.StepError_UnusableAnswer(f"the answer is {path} as it was"))
        try:
            workspace.write(path, content.encode())
        except Err as error:
            raise Err(types.StepError_UnusableAnswer(f"{path}: {error.value}")) from None
        return build_step.Built(f"wrote {path}")


def _text(path):
    """A file's text; empty where there is none."""
    try:
        return workspace.read(path).decode(errors="replace")
    except Err:
        return ""
