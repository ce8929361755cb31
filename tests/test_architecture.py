"""What keeps the package in shape: import direction, sizes, and what is forbidden.

When a limit is reached, split the idea; do not raise the limit.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "sklearn_unlearn"
SOURCES = sorted(PACKAGE.rglob("*.py"))
# sub-packages at any depth
FOLDERS = sorted({path.parent for path in SOURCES} - {PACKAGE})
OWN_FOLDERS = (
    "sklearn_unlearn",
    "tests",
    "examples",
    "benchmarks",
    "docs",
    "build_tools",
)

# Which parts of the package a part may import. A part may always import itself; nobody
# but the checks imports the pipeline.
_GROUND = {"exceptions", "utils", "rows", "base"}
_NETWORKS = _GROUND | {"dropout", "_engine"}
MAY_IMPORT = {
    "__init__": {"_show_versions"},
    "_show_versions": set(),
    "exceptions": set(),
    "utils": {"exceptions"},
    "metrics": {"exceptions", "utils"},
    "rows": {"exceptions", "utils"},
    "base": {"exceptions", "utils", "rows"},
    "dropout": _GROUND,
    "_engine": _GROUND | {"dropout"},
    "neural_network": _NETWORKS,
    "unlearning": _NETWORKS,
    "exact": _GROUND,
    # it audits whatever there is, and is used by nobody
    "audit": _NETWORKS | {"exact", "metrics", "model_selection", "neural_network"},
    # the one attack that needs torch
    "audit.attacks._gradient_inversion": _GROUND | {"audit", "dropout"},
    "pipeline": _GROUND | {"exact"},
    "model_selection": _GROUND | {"exact"},
    "testing": _GROUND | {"exact", "pipeline"},
    # public doors to what stands above everything else
    "utils.discovery": set(),
    "utils.estimator_checks": {"testing", "utils"},
}
WITHOUT_TORCH = {
    "__init__",
    "_show_versions",
    "audit",
    "base",
    "exact",
    "exceptions",
    "metrics",
    "model_selection",
    "pipeline",
    "rows",
    "testing",
    "utils",
    "utils.discovery",
    "utils.estimator_checks",
}
TORCH = {"skorch", "torch"}
# not among the dependencies, or slow to import: inside functions only
ONLY_INSIDE_FUNCTIONS = {
    "mapie",
    "matplotlib",
    "numba",
    "pandas",
    "polars",
    "pytest",
    "rich",
    "scoringrules",
}

FILE_LIMIT = 500
METHOD_FILE_LIMIT = 400
METHOD_FOLDERS = ("dropout", "exact", "unlearning")
# a network unlearner has its own code alone
UNLEARNER_LIMIT = 150
FUNCTION_LIMIT = 60
CLASS_LIMIT = 400
PARAMETER_LIMIT = 15
# they follow MLPClassifier
LIKE_PERCEPTRONS = {"DropoutClassifier", "DropoutRegressor"}
FOLDER_LIMIT = 15
# catalogues of one public thing, or one family of rules, a file
CATALOGUE_LIMIT = 25
CATALOGUES = ("audit/attacks", "dropout", "exact/rules", "unlearning")
# a folder with more of the package's lines, sub-folders not counted, is an attic
SHARE_LIMIT = 1 / 5
# test files that know what is private, of the package or of scikit-learn
PRIVATE_TESTS_LIMIT = 10

HEADER = (
    "# Authors: The sklearn-unlearn developers\n# SPDX-License-Identifier: BSD-3-Clause"
)
GLOBAL_STATE = {
    "np.random.seed",
    "np.random.set_state",
    "numpy.random.seed",
    "torch.manual_seed",
    "torch.random.manual_seed",
    "torch.set_num_threads",
}
# written apart, so that this file does not hold what it looks for
MACHINE_PATHS = re.compile("|".join(f"/{name}/" for name in ("work", "tmp", "opt")))


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def part_of(path):
    """The part of the package that a file belongs to, as in ``MAY_IMPORT``."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    whole = ".".join(parts)
    return whole if whole in MAY_IMPORT else parts[0]


def own_files(*suffixes):
    """Files of the repository with these suffixes, built ones left out."""
    found = [path for path in ROOT.iterdir() if path.is_file()]
    found += [p for folder in OWN_FOLDERS for p in (ROOT / folder).rglob("*")]
    found += [p for folder in (".ci", ".github") for p in (ROOT / folder).rglob("*")]
    built = {"_build", "auto_examples", "generated", "gen_modules", "__pycache__"}
    return sorted(
        path
        for path in found
        if path.is_file()
        and path.suffix in suffixes
        and not built.intersection(path.relative_to(ROOT).parts)
    )


@cache
def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def nodes(path, *types):
    return [node for node in ast.walk(parse(path)) if isinstance(node, types)]


def n_lines(path):
    return len(path.read_text(encoding="utf-8").splitlines())


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def private_names(path):
    """Private modules and names of the package that a file imports, and attributes.

    What an object of a class of the file's own does with itself is its own affair.
    """
    found = set()
    for module, names in imported(parse(path)):
        if module.partition(".")[0] == "sklearn_unlearn":
            words = [*module.split("."), *names]
            found.update(f"{module}: {word}" for word in words if is_private(word))
    for node in nodes(path, ast.Attribute):
        if is_private(node.attr) and ast.unparse(node.value) not in ("self", "cls"):
            found.add(f".{node.attr}")
    return found


def imported(tree):
    """Absolute names that a tree imports, each with the names taken from it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, ()
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module, tuple(alias.name for alias in node.names)


def own_parts_imported(path):
    """The parts of the package that a file imports, at its top or in functions."""
    parts = set()
    for module, names in imported(parse(path)):
        root, _, rest = module.partition(".")
        if root != "sklearn_unlearn":
            continue
        if rest:
            parts.add(rest.partition(".")[0])
        else:  # from sklearn_unlearn import exact, __version__
            parts.update(name for name in names if name in MAY_IMPORT)
    return parts


def at_import_time(path):
    """The tree of a file without the bodies of its functions."""

    class Drop(ast.NodeTransformer):
        def visit_FunctionDef(self, node):
            return None

        visit_AsyncFunctionDef = visit_FunctionDef

        def visit_If(self, node):
            test = ast.unparse(node.test)
            return None if test.endswith("TYPE_CHECKING") else self.generic_visit(node)

    # not the tree of the cache, which the transformer would change
    return Drop().visit(ast.parse(path.read_text(encoding="utf-8")))


HIDE = """
import sys
from importlib.abc import MetaPathFinder
class Hide(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {hidden}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Hide())
"""


def loaded_by(statement, hidden=()):
    """Top-level modules that a fresh interpreter holds after a statement.

    For it, those in `hidden` are not installed.
    """
    hide = HIDE.replace("{hidden}", repr(set(hidden))) if hidden else ""
    code = f"{hide}\n{statement}\nimport sys\nprint(*sorted(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return {name.partition(".")[0] for name in result.stdout.split()}


def test_every_part_has_a_rule():
    assert {part_of(path) for path in SOURCES} <= set(MAY_IMPORT)


def test_rules_have_no_cycle():
    done = set()
    while len(done) < len(MAY_IMPORT):
        ready = {part for part, others in MAY_IMPORT.items() if others <= done}
        assert ready - done, f"in a cycle: {sorted(set(MAY_IMPORT) - done)}"
        done |= ready
    users = {part for part, others in MAY_IMPORT.items() if "pipeline" in others}
    assert users == {"testing"}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_point_one_way(path):
    part = part_of(path)
    wrong = own_parts_imported(path) - MAY_IMPORT[part] - {part}
    assert not wrong, f"{part} may not import {sorted(wrong)}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_are_light(path):
    everywhere = {module.partition(".")[0] for module, _ in imported(parse(path))}
    at_top = {module.partition(".")[0] for module, _ in imported(at_import_time(path))}
    if part_of(path) in WITHOUT_TORCH:
        assert not everywhere & TORCH
    assert not at_top & ONLY_INSIDE_FUNCTIONS


def test_root_imports_nothing():
    loaded = loaded_by("import sklearn_unlearn; sklearn_unlearn.__version__")
    heavy = TORCH | ONLY_INSIDE_FUNCTIONS | {"numpy", "scipy", "sklearn"}
    assert not loaded & heavy


def import_all_without_torch():
    parts = sorted({part_of(path) for path in SOURCES} & WITHOUT_TORCH - {"__init__"})
    parts += ["utils.estimator_checks", "utils.discovery"]
    return "import " + ", ".join(f"sklearn_unlearn.{part}" for part in parts)


def test_parts_without_torch_load_none():
    assert not loaded_by(import_all_without_torch()) & (TORCH | {"matplotlib"})


def test_optional_packages_are_optional():
    # scikit-learn itself loads pandas and rich where it finds them, so it cannot be
    # seen who did; that everything works without them can
    loaded_by(import_all_without_torch(), hidden=TORCH | ONLY_INSIDE_FUNCTIONS)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_scikit_learn_privates_have_one_place(path):
    if path.name == "_sklearn_compat.py":
        return
    private = [
        (module, names)
        for module, names in imported(parse(path))
        if module.partition(".")[0] == "sklearn"
        and any(name.startswith("_") for name in (*module.split("."), *names))
    ]
    assert not private, "import it in utils/_sklearn_compat.py"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_file_size(path):
    is_method = part_of(path) in METHOD_FOLDERS
    assert n_lines(path) <= (METHOD_FILE_LIMIT if is_method else FILE_LIMIT)


def test_unlearner_size():
    shared = {"__init__.py", "_base.py", "_skorch.py", "_skorch_net.py"}
    methods = [p for p in SOURCES if part_of(p) == "unlearning" if p.name not in shared]
    assert len(methods) >= 4
    sizes = {p.name: n_lines(p) for p in methods}
    assert {name: n for name, n in sizes.items() if n > UNLEARNER_LIMIT} == {}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_function_size(path):
    like_perceptrons = {
        method.lineno
        for cls in nodes(path, ast.ClassDef)
        for method in cls.body
        if cls.name in LIKE_PERCEPTRONS and getattr(method, "name", "") == "__init__"
    }
    public = [node for node in parse(path).body if not is_private(_name(node))]
    long = {
        node.name: _length(node, node in public)
        for node in nodes(path, ast.FunctionDef, ast.AsyncFunctionDef)
        if _length(node, node in public) > FUNCTION_LIMIT
        if node.lineno not in like_perceptrons
    }
    assert not long


def _name(node):
    return getattr(node, "name", "")


def _length(function, is_public):
    """Lines of a function; what a public one has as its page of the API is no code."""
    first = function.body[0]
    is_page = is_public and _is_docstring(first)
    page = first.end_lineno - first.lineno + 1 if is_page else 0
    return function.end_lineno - function.lineno + 1 - page


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_class_size(path):
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in nodes(path, ast.ClassDef)
        if node.end_lineno - node.lineno + 1 > CLASS_LIMIT
    }
    assert not long.keys() - LIKE_PERCEPTRONS


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_folder_size(folder):
    modules = sorted(folder.glob("*.py"))
    is_catalogue = folder.relative_to(PACKAGE).as_posix() in CATALOGUES
    limit = CATALOGUE_LIMIT if is_catalogue else FOLDER_LIMIT
    assert len([p for p in modules if p.name != "__init__.py"]) <= limit
    share = sum(map(n_lines, modules)) / sum(map(n_lines, SOURCES))
    assert share <= SHARE_LIMIT


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_folder_says_what_it_is_for(folder):
    text = ast.get_docstring(parse(folder / "__init__.py")) or ""
    # a full stop within a name, as in exact.rules, ends no sentence
    assert len(re.findall(r"\.(?=\s|$)", text)) >= 2, "two sentences: what, for whom"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_constructor_size(path):
    many = {}
    for cls in nodes(path, ast.ClassDef):
        for method in cls.body:
            if getattr(method, "name", None) != "__init__":
                continue
            args = method.args
            n_own = len(args.posonlyargs + args.args + args.kwonlyargs) - 1
            if n_own > PARAMETER_LIMIT and cls.name not in LIKE_PERCEPTRONS:
                many[cls.name] = n_own
    assert not many


@pytest.mark.parametrize("path", own_files(".py"), ids=name_of)
def test_python_file(path):
    text = path.read_text(encoding="utf-8")
    assert HEADER in text, "no header"
    body = parse(path).body
    first = next((n for n in body if not _is_docstring(n)), None)
    if first is not None:
        line = text[: text.index(HEADER)].count("\n") + 1
        assert line < first.lineno, "the header comes before the code"
    relative = [node for node in nodes(path, ast.ImportFrom) if node.level]
    assert not relative, "imports are absolute"


def _is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_tests_speak_to_public_names():
    touched = {path: private_names(path) for path in (ROOT / "tests").rglob("*.py")}
    private = {name_of(path): sorted(names) for path, names in touched.items() if names}
    assert len(private) <= PRIVATE_TESTS_LIMIT, private


def test_private_names_are_noticed(tmp_path):
    path = tmp_path / "example.py"
    path.write_text(
        "import sklearn_unlearn.rows._store\n"
        "from sklearn_unlearn.exact import _rule, find_rule\n"
        "from sklearn_unlearn.utils._state import assert_same_state\n"
        "from tests._instances import INSTANCES\n"
        "class Own:\n"
        "    def hook(self):\n"
        "        self._kept = self.__dict__\n"
        "model._rows.rows()\n"
        "super()._fit_inner()\n"
    )
    assert private_names(path) == {
        "sklearn_unlearn.rows._store: _store",
        "sklearn_unlearn.exact: _rule",
        "sklearn_unlearn.utils._state: _state",
        "._rows",
        "._fit_inner",
    }


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_global_state(path):
    called = {ast.unparse(node) for node in nodes(path, ast.Attribute)}
    assert not called & GLOBAL_STATE
    taken = {
        f"{module}.{name}" for module, names in imported(parse(path)) for name in names
    }
    assert not taken & GLOBAL_STATE


def test_no_machine_paths():
    suffixes = (".py", ".md", ".rst", ".toml", ".txt", ".cff", ".yml", "")
    found = {
        name_of(path): sorted(set(MACHINE_PATHS.findall(text)))
        for path in own_files(*suffixes)
        if MACHINE_PATHS.search(text := path.read_text("utf-8", errors="ignore"))
    }
    assert not found
