"""A renderer of formulas for Sphinx that needs neither LaTeX nor a script.

docutils translates them to MathML, which browsers show by themselves. Nothing is loaded
from another server, so the pages also work without a connection.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import html

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

logger = logging.getLogger(__name__)


def mathml(node, as_block=False):
    """Return the formula of a node as MathML, or as it is if that is not possible."""
    try:
        return tex2mathml(node.astext(), as_block=as_block)
    except MathError as error:
        logger.warning("no MathML for this formula: %s", error, location=node)
        return f"<code>{html.escape(node.astext())}</code>"


def visit_inline(translator, node):
    """Write a formula within a line."""
    translator.body.append(mathml(node))
    raise nodes.SkipNode


def visit_block(translator, node):
    """Write a formula on lines of its own."""
    formula = mathml(node, as_block=True)
    translator.body.append(f'<div class="math notranslate">{formula}</div>\n')
    raise nodes.SkipNode


def setup(app):
    """Let Sphinx know the renderer, as ``html_math_renderer = "mathml"``."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
