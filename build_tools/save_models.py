"""Save a small model of each public estimator, for the tests of later versions.

    python build_tools/save_models.py

writes the folder of the present version in ``tests/saved/``. Those of released versions
stay as they are: what they hold must load for ever, and predict what it predicted.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import pickle
import shutil
import sys
import warnings
from pathlib import Path

import sklearn
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sklearn_unlearn import __version__
from tests._saved import FOLDER, models_to_save, outputs

# of the oldest Python that is supported
PROTOCOL = 5


def main():
    """Write one file for each model."""
    folder = FOLDER / __version__
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    versions = {"sklearn": sklearn.__version__, "torch": torch.__version__}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, model, X in models_to_save():
            saved = {"model": pickle.dumps(model, PROTOCOL), "versions": versions}
            saved |= {"outputs": outputs(model, X), "X": X}
            if hasattr(X, "iloc"):  # another pandas need not read its frames
                saved["X"] = X.astype(str).to_dict("list")
            path = folder / f"{name}.pickle"
            path.write_bytes(pickle.dumps(saved, PROTOCOL))
            print(f"{path.stat().st_size / 1024:6.1f} KiB  {name}")


if __name__ == "__main__":
    main()
