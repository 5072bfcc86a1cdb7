"""What the host calls."""

from answer import code
from componentize_py_types import Err
from logic import problem, question, suspect
from wit_world import exports
from wit_world.exports import fix_step
from wit_world.imports import log, model, types, workspace


class FixStep(exports.FixStep):
    def fix(self, task, attempts):
        for key, _ in task.settings:
            raise Err(types.StepError_Settings(f"unknown setting {key}: there are none"))
        found = problem(attempts)
        if found is None:
            return fix_step.Decision_Rebuild("no check says what is wrong")
        path = suspect(found, workspace.list("**"))
        if path is None:
            return fix_step.Decision_Stop("there is no text file of a fitting size that may be changed")
        before = workspace.read(path).decode()
        log.log(types.Level.INFO, f"asking about {path}")
        message = types.Message(types.Role.USER, question(task.goal, path, before, found.message))
        try:
            completion = model.complete(types.Request([message], task.temperature, None, [], task.seed))
        except Err as error:
            raise Err(types.StepError_Model(error.value)) from None
        content = code(completion.text)
        if content is None:
            raise Err(types.StepError_UnusableAnswer("the answer has no whole code block"))
        if content == before:
            raise Err(types.StepError_UnusableAnswer(f"the answer is {path} as it was"))
        try:
            workspace.write(path, content.encode())
        except Err as error:
            raise Err(types.StepError_UnusableAnswer(f"{path}: {error.value}")) from None
        return fix_step.Decision_Proposed(f"rewrote {path}")
