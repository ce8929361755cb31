"""How Sphinx builds the documentation; ``make docs`` runs it. Nothing is downloaded."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import gc
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
# figures of the gallery are files; also for the processes that draw them
os.environ["MPLBACKEND"] = "Agg"

import sklearn
from api_reference import api_page, documented_members

import sklearn_unlearn

# written only if it changes, so that a second build has nothing to read again
page = HERE / "api.rst"
if not page.exists() or page.read_text(encoding="utf-8") != api_page():
    page.write_text(api_page(), encoding="utf-8")

project = "sklearn-unlearn"
author = "The sklearn-unlearn developers"
copyright = f"2026, {author}"
release = version = sklearn_unlearn.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "mathml",
]
html_math_renderer = "mathml"
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates", "auto_examples/**/*.py.md5"]
default_role = "autolink"

autosummary_generate = True
autosummary_context = {"documented_members": documented_members}
# parameters and attributes have their own sections; methods come from the template
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = f"sklearn-unlearn {release}"
html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": False,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}


def reset(gallery_conf, fname):
    """Let no example of the gallery depend on what an earlier one has set."""
    sklearn.set_config(
        enable_metadata_routing=False, transform_output="default", display="diagram"
    )
    gc.collect()


sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "backreferences_dir": "gen_modules/backreferences",
    "doc_module": ("sklearn_unlearn",),
    "reference_url": {"sklearn_unlearn": None},
    "reset_modules": ("matplotlib", reset),
    "abort_on_example_error": True,
    # these pages would load scripts from other servers
    "write_computation_times": False,
    "show_memory": False,
    "show_signature": False,
    "plot_gallery": True,
}
# the functions in it cannot be stored with the build
suppress_warnings = ["config.cache"]
