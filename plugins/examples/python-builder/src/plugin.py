"""What the host calls."""

from answer import code
from componentize_py_types import Err
from logic import BadSetting, again, question, settings, target
from wit_world import exports
from wit_world.exports import build_step
from wit_world.imports import check, log, model, types, workspace


class BuildStep(exports.BuildStep):
    def build(self, task, attempts):
        try:
            path, tries = settings(task.settings)
            tests = [(test, _text(test)) for test in task.tests]
            path = path or target(task.goal, tests)
        except BadSetting as problem:
            raise Err(types.StepError_Settings(str(problem))) from None
        before = _text(path)
        failure = attempts[-1].failure if attempts else None
        messages = [types.Message(types.Role.USER, question(task.goal, path, tests, failure))]
        for number in range(1, tries + 1):
            answer = _ask(messages, task)
            content = code(answer)
            if content is None:
                raise Err(types.StepError_UnusableAnswer("the answer has no whole code block"))
            _write(path, content)
            if number == tries:
                break
            problems = _problems()
            if not problems:
                break
            log.log(types.Level.INFO, f"{path} is not good yet: {problems[0]}")
            messages.append(types.Message(types.Role.ASSISTANT, answer))
            messages.append(types.Message(types.Role.USER, again(path, problems)))
        if content == before:
            raise Err(types.StepError_UnusableAnswer(f"the answer is {path} as it was"))
        return build_step.Built(f"wrote {path}" + (f", at the {number}. try" if number > 1 else ""))


def _ask(messages, task):
    try:
        return model.complete(types.Request(messages, task.temperature, None, [], task.seed)).text
    except Err as error:
        raise Err(types.StepError_Model(error.value)) from None


def _write(path, content):
    try:
        workspace.write(path, content.encode())
    except Err as error:
        raise Err(types.StepError_UnusableAnswer(f"{path}: {error.value}")) from None


def _problems():
    """What the checker says, in words; nothing where it can't judge: the coordinator will."""
    try:
        report = check.run()
    except Err:
        return []
    return [f"{problem.test or problem.path}: {problem.message}" for problem in report.problems]


def _text(path):
    """A file's text; empty where there is none."""
    try:
        return workspace.read(path).decode(errors="replace")
    except Err:
        return ""
