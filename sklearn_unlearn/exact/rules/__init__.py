"""How fitted estimators of scikit-learn forget rows exactly, one file per family.

A module here is imported, and its rules are registered, because it lies here. A rule
may use ``exact.statistics`` and the base classes of ``exact``; nobody imports a rule
but by asking ``find_rule`` for it.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__, prefix=f"{__name__}."):
    importlib.import_module(_module.name)
