"""The component's glue: hands the workspace to pycheck and its report to the host.

Everything here but `check` runs once, when the component is built.
"""

import gc
import sys

import holes
import immortal
import preload
import warmup
from pycheck.report import BadSetting
from pycheck.session import Box
from pycheck.session import check as run_check
from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import types, workspace

VERDICTS = {"passed": types.Verdict.PASSED, "failed": types.Verdict.FAILED, "broken": types.Verdict.BROKEN}


class CheckStep(exports.CheckStep):
    def check(self, task: types.Task) -> types.Report:
        try:
            paths = [entry.path for entry in workspace.list("**")]
            report = run_check(BOX, paths, workspace.read, task.tests, task.settings, task.seed)
        except BadSetting as problem:
            raise Err(types.StepError_Settings(str(problem))) from None
        return types.Report(
            VERDICTS[report.verdict],
            types.Counts(report.passed, report.failed, report.skipped),
            [types.Problem(_text(p.test), p.path, p.line, _text(p.message)) for p in report.problems],
            _text(report.output),
        )


def _text(text):
    """Without lone surrogates, which WIT strings can't hold."""
    return text if text is None else text.encode("utf-8", "replace").decode()


preload.modules()
BOX = Box()
BOX.install()
# The sandbox has no folders: without these entries a failing import asks nobody.
sys.path[:] = BOX.path[:] = []
warmup.run(BOX)
# The code under test has no business with these.
for name in [n for n in sys.modules if n.partition(".")[0] in ("pycheck", "holes", "immortal", "preload", "warmup")]:
    del sys.modules[name]
BOX.modules = dict(sys.modules)
gc.collect()
# A check is short: collect when there is much to gain, not because of what was loaded above.
gc.set_threshold(20_000, 10, 10)
gc.freeze()
IMMORTAL = immortal.names(BOX.modules, BOX, globals())
FILLING = holes.fill()

