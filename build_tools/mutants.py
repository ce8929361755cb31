"""Change the package at random places, and see whether the tests notice.

A mutant is the package with one small change: a comparison turned round, a statement
left out, a number raised. A change that no test notices is a hole in the tests, or
makes no difference. ``make mutants`` does both steps::

    python build_tools/mutants.py record --workers 2
    python build_tools/mutants.py run --number 150 --seed 0 --workers 2

``record`` runs the tests once and writes down which test reaches which line. ``run``
draws mutants and runs, for each, the tests that reach its line, until one fails. It
works on copies in temporary folders, writes a line of JSON for each mutant, and goes on
where an earlier run with the same seed has stopped; ``--shard 1/4`` takes a quarter.

mutmut and cosmic-ray were looked at: the first replaces every function by another one,
which scikit-learn's look at signatures and the package's own look at attributes notice;
the second runs the same tests for each mutant.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import argparse
import ast
import collections
import concurrent.futures
import contextlib
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import coverage

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "sklearn_unlearn"
COPIED = ("sklearn_unlearn", "tests", "docs", "examples", "benchmarks", "build_tools")
DATABASE, DURATIONS = "mutants.coverage", "mutants.durations.json"
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}

COMPARISONS = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Is: "is not",
    ast.IsNot: "is",
}
OPERATORS = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.FloorDiv: "*",
    ast.Mod: "*",
    ast.Pow: "*",
    ast.BitAnd: "|",
    ast.BitOr: "&",
    ast.BitXor: "|",
    ast.LShift: ">>",
    ast.RShift: "<<",
}
# functions and methods of which a value comes out much as it went in
SIMILAR = set(
    "abs array asarray ascontiguousarray astype clone copy deepcopy dict float "
    "frozenset int list ravel reshape set shallow_copy sort sorted str sum toarray "
    "tocsr tolist tuple unique".split()
)


class Mutant(NamedTuple):
    """Put `text` in the place of the characters `start` to `end` of a file."""

    path: str
    line: int
    last_line: int
    start: int
    end: int
    text: str
    kind: str

    @property
    def name(self):
        """What tells it from all others."""
        return f"{self.path}:{self.line} [{self.start}] {self.kind}"


# ------------------------------------------------------------------ what is changed


class Mutants(ast.NodeVisitor):
    """List the mutants of a file."""

    def __init__(self, path):
        self.path = path.relative_to(ROOT).as_posix()
        self.source = path.read_text(encoding="utf-8")
        lengths = [len(line) for line in self.source.splitlines(keepends=True)]
        self.starts = [0, *itertools.accumulate(lengths)]
        self.lines = self.source.splitlines(keepends=True)
        self.found = []
        self.visit(ast.parse(self.source))

    def _offset(self, line, column):
        """Return the place of a character; ast counts columns in bytes."""
        text = self.lines[line - 1].encode()[:column].decode()
        return self.starts[line - 1] + len(text)

    def _code(self, node):
        return ast.get_source_segment(self.source, node)

    def _add(self, node, text, kind):
        start = self._offset(node.lineno, node.col_offset)
        end = self._offset(node.end_lineno, node.end_col_offset)
        place = node.lineno, node.end_lineno, start, end
        self.found.append(Mutant(self.path, *place, text, kind))

    def visit_Compare(self, node):
        """Turn a comparison round."""
        if len(node.ops) == 1:
            left, right = self._code(node.left), self._code(node.comparators[0])
            other = COMPARISONS[type(node.ops[0])]
            self._add(node, f"({left}) {other} ({right})", "compare")
        self.generic_visit(node)

    def visit_BinOp(self, node):
        """Calculate something else."""
        other = OPERATORS.get(type(node.op))
        is_text = any(isinstance(n, ast.JoinedStr) for n in ast.walk(node))
        if other and not is_text:
            left, right = self._code(node.left), self._code(node.right)
            self._add(node, f"(({left}) {other} ({right}))", "arithmetic")
        self.generic_visit(node)

    def visit_UnaryOp(self, node):
        """Leave a sign or a negation out."""
        if not isinstance(node.op, ast.UAdd):
            self._add(node, f"({self._code(node.operand)})", "sign")
        self.generic_visit(node)

    def visit_BoolOp(self, node):
        """Exchange "and" and "or", or leave the last condition out."""
        parts = [f"({self._code(value)})" for value in node.values]
        other = " or " if isinstance(node.op, ast.And) else " and "
        self._add(node, f"({other.join(parts)})", "and, or")
        same = " and " if isinstance(node.op, ast.And) else " or "
        self._add(node, f"({same.join(parts[:-1])})", "condition left out")
        self.generic_visit(node)

    def visit_Constant(self, node):
        """Take another number."""
        if isinstance(node.value, bool):
            self._add(node, str(not node.value), "constant")
        elif isinstance(node.value, int):
            self._add(node, str(node.value + 1), "constant")
        elif isinstance(node.value, float):
            self._add(node, repr(2 * node.value or 1.0), "constant")

    def _condition(self, node):
        self._add(node.test, f"(not ({self._code(node.test)}))", "negated condition")
        self.generic_visit(node)

    visit_If = visit_IfExp = _condition

    def visit_comprehension(self, node):
        """Leave the condition of a comprehension out."""
        for test in node.ifs:
            self._add(test, "True", "filter left out")
        self.generic_visit(node)

    def _statement(self, node):
        self._add(node, "pass", "statement left out")
        self.generic_visit(node)

    visit_AugAssign = visit_Delete = visit_Continue = _statement

    def visit_Assign(self, node):
        """Leave an assignment to an attribute or an element out."""
        if not isinstance(node.targets[0], (ast.Name, ast.Tuple)):
            return self._statement(node)
        return self.visit(node.value) if not _is_dunder(node) else None

    def visit_Expr(self, node):
        """Leave a call out; docstrings are no code."""
        if isinstance(node.value, ast.Call):
            self._statement(node)
        elif not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Raise(self, node):
        """Leave an error out; what it says is not looked at."""
        self._add(node, "pass", "error left out")

    def visit_Return(self, node):
        """Return nothing."""
        if node.value is not None and not isinstance(node.value, ast.Constant):
            self._add(node, "return None", "return None")
        self.generic_visit(node)

    def visit_Call(self, node):
        """Leave out a call that gives much what it takes, or the last keyword."""
        named = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if named in SIMILAR and len(node.args) == 1:
            self._add(node, f"({self._code(node.args[0])})", "call left out")
        elif named in SIMILAR and isinstance(node.func, ast.Attribute):
            self._add(node, f"({self._code(node.func.value)})", "call left out")
        if node.keywords and node.keywords[-1].arg:
            parts = [self._code(a) for a in node.args]
            parts += [self._code(k) for k in node.keywords[:-1]]
            if not any(isinstance(a, ast.GeneratorExp) for a in node.args):
                text = f"{self._code(node.func)}({', '.join(parts)})"
                self._add(node, text, "keyword left out")
        self.generic_visit(node)

    def visit_FunctionDef(self, node):
        """Pass over annotations."""
        for part in (node.args.defaults, node.args.kw_defaults, node.body):
            for child in part:
                if child is not None:
                    self.visit(child)

    def visit_AnnAssign(self, node):
        """Pass over annotations."""
        if node.value is not None:
            self.visit(node.value)


def _is_dunder(node):
    """Tell whether a name such as ``__all__`` is assigned."""
    return isinstance(node.targets[0], ast.Name) and node.targets[0].id[:2] == "__"


def draw(number, seed, under):
    """Draw mutants that can be compiled, as many of each kind as there are."""
    paths = sorted(p for folder in under for p in (ROOT / folder).rglob("*.py"))
    everything = [mutant for path in paths for mutant in Mutants(path).found]
    random.Random(seed).shuffle(everything)
    drawn = (mutant for mutant in everything if _compiles(mutant))
    return list(itertools.islice(drawn, number))


def _mutated(mutant, root=ROOT):
    """Return the changed text of the file."""
    text = (root / mutant.path).read_text(encoding="utf-8")
    return text[: mutant.start] + mutant.text + text[mutant.end :]


def _compiles(mutant):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        try:
            compile(_mutated(mutant), mutant.path, "exec")
        except SyntaxError:
            return False
    return True


# ------------------------------------------------------------- which tests reach it


def record(arguments):
    """Run the tests once; keep which lines each test reaches and how long it takes."""
    folder = arguments.data.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    command = [*PYTEST, "-n", str(arguments.workers), "--dist", "worksteal"]
    command += ["--cov=sklearn_unlearn", "--cov-context=test", "--cov-report="]
    command += ["-p", Path(__file__).stem]  # for the hooks below
    data = {
        "COVERAGE_FILE": str(folder / DATABASE),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)]),
        "MUTANTS_DURATIONS": str(folder / DURATIONS),
    }
    done = subprocess.run(
        [*command, *arguments.tests], cwd=ROOT, env=os.environ | ENVIRONMENT | data
    )
    sys.exit(done.returncode)


durations, failed = collections.Counter(), set()


def pytest_runtest_logreport(report):
    """Add up how long a test takes; pytest calls it in ``record``."""
    durations[report.nodeid] += report.duration
    if report.failed:
        failed.add(report.nodeid)


def pytest_sessionfinish(session):
    """Write down how long each test took that passed, once for all workers."""
    if not hasattr(session.config, "workerinput"):
        passed = {k: v for k, v in durations.items() if k not in failed}
        Path(os.environ["MUTANTS_DURATIONS"]).write_text(json.dumps(passed))


class Reach:
    """Which tests reach a line, and in which order they are run."""

    def __init__(self, folder):
        self.data = coverage.CoverageData(str(folder / DATABASE))
        self.data.read()
        self.durations = json.loads((folder / DURATIONS).read_text())
        self.files = {
            path[path.rindex("sklearn_unlearn/") :]: path
            for path in self.data.measured_files()
        }

    def tests(self, mutant, limit):
        """Return the tests for a mutant, at most `limit` seconds of them.

        Those of a line that runs at import are all that reach its file. Code that is
        compiled is not seen to be reached: there, those in the folder of the same name.
        """
        path = self.files.get(mutant.path)
        if path is None:
            return []
        by_line = self.data.contexts_by_lineno(path)
        lines = range(mutant.line, mutant.last_line + 1)
        contexts = {c for line in lines for c in by_line.get(line, ()) if c}
        contexts = contexts or {c for names in by_line.values() for c in names if c}
        tests = {context.rpartition("|")[0] for context in contexts}
        tests = tests or self._tests_beside(mutant.path)
        tests |= self._tests_unseen(mutant.path)
        return self._ordered(tests.intersection(self.durations), limit)

    def _tests_beside(self, path):
        """Return the tests in the nearest folder that mirrors the one of a file."""
        for parent in Path(path).relative_to(PACKAGE.name).parents:
            folder = f"tests/{parent.as_posix()}/"
            found = {test for test in self.durations if test.startswith(folder)}
            if found:
                return found
        return set()

    def _tests_unseen(self, path):
        """Return tests that reach a file without a line of it being run then.

        They read signatures, or what another test has computed before.
        """
        names = ["test_defaults_are_those_of_the_signature"]
        names += ["test_offender_is_caught"] * ("/testing/" in path)
        return {test for test in self.durations if any(name in test for name in names)}

    def _ordered(self, tests, limit):
        """Take turns between the test files, and in each the fastest test first."""
        files = collections.defaultdict(list)
        for test in sorted(tests, key=self.durations.get):
            files[test.partition("::")[0]].append(test)
        turns = itertools.zip_longest(*sorted(files.values(), key=len))
        chosen, seconds = [], 0.0
        for test in filter(None, itertools.chain.from_iterable(turns)):
            seconds += self.durations[test]
            if chosen and seconds > limit:
                break
            chosen.append(test)
        return chosen


# ------------------------------------------------------------------- trying them out


class Copy:
    """A copy of the repository, in which mutants are tried one after the other."""

    def __init__(self, folder):
        self.folder = Path(folder)
        for name in COPIED:
            ignored = shutil.ignore_patterns("__pycache__", "_build", "auto_examples")
            shutil.copytree(ROOT / name, self.folder / name, ignore=ignored)
        for path in ROOT.iterdir():
            if path.is_file():
                shutil.copy(path, self.folder)

    def outcome(self, mutant, tests, patience):
        """Return "found", "survived", "timeout" or "not reached", and the test."""
        if not tests:
            return "not reached", ""
        path = self.folder / mutant.path
        original = path.read_text(encoding="utf-8")
        path.write_text(_mutated(mutant, self.folder), encoding="utf-8")
        try:
            return self._run(tests, patience)
        finally:
            path.write_text(original, encoding="utf-8")

    def _run(self, tests, patience):
        names = self.folder / "tests.txt"
        names.write_text("\n".join(tests), encoding="utf-8")
        command = [*PYTEST, "-x", "--no-header", "--tb=no", f"@{names}"]
        own = ENVIRONMENT | {"PYTHONPATH": str(self.folder)}
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=os.environ | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return "timeout", ""
        lines = [x for x in output.splitlines() if x.startswith(("FAILED", "ERROR"))]
        if process.returncode == 0:
            return "survived", ""
        return "found", lines[0] if lines else output[-200:]


def run(arguments):
    """Try the mutants of a shard that were not tried yet, and print what was found."""
    part, n_parts = map(int, arguments.shard.split("/"))
    mutants = draw(arguments.number, arguments.seed, arguments.under)[part::n_parts]
    if not mutants:
        sys.exit(f"No code to change under {arguments.under}: give paths from here.")
    results = arguments.data / f"mutants.{arguments.seed}.{part}of{n_parts}.jsonl"
    done = set()
    if results.exists():
        lines = results.read_text().splitlines()
        done = {json.loads(line)["name"] for line in lines}
    waiting = iter([m for m in mutants if m.name not in done])
    with concurrent.futures.ThreadPoolExecutor(arguments.workers) as pool:
        workers = [
            pool.submit(_work, waiting, results, arguments)
            for _ in range(arguments.workers)
        ]
        for worker in workers:
            worker.result()
    print_table([json.loads(line) for line in results.read_text().splitlines()])


def _work(waiting, results, arguments):
    """Take mutants until there are none left; each worker has its own copy."""
    reach = Reach(arguments.data)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Copy(folder)
        for mutant in waiting:
            tests = reach.tests(mutant, arguments.limit)
            seconds = sum(reach.durations[test] for test in tests)
            started = time.monotonic()
            patience = 120 + 4 * seconds
            outcome, by = copy.outcome(mutant, tests, patience)
            line = {
                "name": mutant.name,
                "outcome": outcome,
                "by": by,
                "n_tests": len(tests),
                "seconds": round(time.monotonic() - started, 1),
                "change": _change(mutant),
            }
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            print(f"{outcome:12} {mutant.name}", flush=True)


def _change(mutant):
    """Write what was replaced, and by what."""
    text = (ROOT / mutant.path).read_text(encoding="utf-8")
    return f"{text[mutant.start : mutant.end]} -> {mutant.text}"


def print_table(lines):
    """Print the share that was found, by area, and those that were not."""
    areas = collections.defaultdict(collections.Counter)
    for line in lines:
        parts = line["name"].partition(":")[0].split("/")
        area = parts[1] if len(parts) > 2 else "root"
        for name in (area, "all"):
            areas[name][line["outcome"] in ("found", "timeout")] += 1
    print(f"\n{'area':16} {'found':>6} {'of':>5}")
    for area, counts in sorted(areas.items()):
        print(f"{area:16} {counts[True]:6} {counts.total():5}")
    for line in lines:
        if line["outcome"] not in ("found", "timeout"):
            print(f"\n{line['outcome']}: {line['name']} ({line['n_tests']} tests)")
            print("    " + line["change"].replace("\n", "\n    "))


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("step", choices=("record", "run"))
    parser.add_argument("--data", type=Path, default=ROOT / ".mutants")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--number", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shard", default="0/1", help="part i of n, as i/n")
    parser.add_argument("--under", nargs="+", default=["sklearn_unlearn"])
    parser.add_argument("--limit", type=float, default=300, help="seconds of tests")
    parser.add_argument("--tests", nargs="*", default=[], help="for record")
    arguments = parser.parse_args()
    {"record": record, "run": run}[arguments.step](arguments)


if __name__ == "__main__":
    main()
