"""Run the programs that the guides for users and contributors show."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import re
import sys
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run_guide(name, monkeypatch, section=None):
    """Run the programs of a guide from top to bottom, as one module.

    Parameters
    ----------
    name : str
        File in the root of the repository, such as ``"CONTRIBUTING.md"``.
    monkeypatch : pytest.MonkeyPatch
        Registers the module for the time of a test, so that its classes can be
        pickled.
    section : str, default=None
        Heading of the only section whose programs are run; the whole file if None.

    Returns
    -------
    module
        Holds what the programs have defined.
    """
    text = (ROOT / name).read_text(encoding="utf-8")
    if section is not None:
        found = re.search(
            rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", text, re.M | re.S
        )
        assert found, f"{name} has no section {section!r}"
        text = found[1]
    programs = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    assert programs
    module = types.ModuleType(Path(name).stem)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for program in programs:
        exec(compile(program, name, "exec"), vars(module))
    return module
