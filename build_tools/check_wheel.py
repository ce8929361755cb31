"""Import every module of the installed package, and compare it with the sources.

``make dist`` runs it in an environment that has the wheel and nothing else of ours:
a wheel without one of its sub-packages is easily built and hard to notice.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import importlib
import sys
from pathlib import Path

import sklearn_unlearn

SOURCE = Path(__file__).resolve().parents[1] / "sklearn_unlearn"


def main():
    """Check the installed package, and say what was done."""
    installed = Path(sklearn_unlearn.__file__).parent
    if installed == SOURCE:
        sys.exit("the sources were imported instead of the wheel")
    wanted = {
        path.relative_to(SOURCE)
        for path in SOURCE.rglob("*")
        if path.suffix in (".py", ".typed")
    }
    missing = sorted(str(path) for path in wanted if not (installed / path).exists())
    if missing:
        sys.exit(f"not in the wheel: {', '.join(missing)}")
    modules = sorted(
        ".".join(("sklearn_unlearn", *path.with_suffix("").parts)).removesuffix(
            ".__init__"
        )
        for path in wanted
        if path.suffix == ".py"
    )
    for name in modules:
        importlib.import_module(name)
    print(f"sklearn-unlearn {sklearn_unlearn.__version__}: {len(modules)} modules")


if __name__ == "__main__":
    main()
