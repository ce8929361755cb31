"""A renderer of formulas for Sphinx that needs neither LaTeX nor a script.

docutils translates them to MathML, which browsers show by themselves. Nothing is loaded
from another server, so the pages also work without a connection.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml


def visit_inline(translator, node):
    """Write a formula within a line."""
    translator.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def visit_block(translator, node):
    """Write a formula on lines of its own."""
    formula = tex2mathml(node.astext(), as_block=True)
    translator.body.append(f'<div class="math notranslate">{formula}</div>\n')
    raise nodes.SkipNode


def setup(app):
    """Let Sphinx know the renderer, as ``html_math_renderer = "mathml"``."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
