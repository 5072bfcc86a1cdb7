"""What the host calls."""

from componentize_py_types import Err
from logic import problems
from wit_world import exports
from wit_world.imports import types, workspace


class CheckStep(exports.CheckStep):
    def check(self, task):
        for key, _ in task.settings:
            raise Err(types.StepError_Settings(f"unknown setting {key}: there are none"))
        counts = types.Counts(0, 0, 0)
        report = types.Report(types.Verdict.PASSED, counts, [], "")
        for file in workspace.list("**"):
            if not file.text:
                continue
            found = problems(workspace.read(file.path).decode())
            report.problems += [types.Problem(None, file.path, line, message) for line, message in found]
            if found:
                counts.failed += 1
            else:
                counts.passed += 1
        if counts.failed:
            report.verdict = types.Verdict.FAILED
        elif not counts.passed:
            # Nothing was checked, so nothing has passed.
            report.verdict = types.Verdict.BROKEN
            report.problems.append(types.Problem(None, None, None, "there is no text file to check"))
        report.output = f"{counts.passed} files are clean, {counts.failed} are not\n"
        return report
