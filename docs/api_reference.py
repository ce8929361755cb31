"""The public names of the package, as data.

``conf.py`` makes the page ``api.rst`` of it, and ``tests/test_public_api.py`` checks
that no public name is missing and that none is listed which is not public. Each module
has a title, a sentence, and its names in the order in which they are shown.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

API_REFERENCE = {
    "sklearn_unlearn.pipeline": {
        "title": "Pipelines that forget",
        "summary": "scikit-learn's pipeline, in which every step can forget rows.",
        "names": [
            "Pipeline",
            "make_pipeline",
            "trace_rows",
            "TraceReport",
            "AttributeTrace",
        ],
    },
    "sklearn_unlearn.neural_network": {
        "title": "Networks with dropout, and ensembles made to forget",
        "summary": "Neural networks that know how sure they are, and forget.",
        "names": [
            "DropoutClassifier",
            "DropoutRegressor",
            "S3TClassifier",
            "S3TRegressor",
            "s3t_cost",
            "S3TCost",
        ],
    },
    "sklearn_unlearn.dropout": {
        "title": "Layers of dropout",
        "summary": "For modules of your own: noise from an explicit generator.",
        "names": ["BernoulliDropout", "GaussianDropout", "StochasticLayer"],
    },
    "sklearn_unlearn.exact": {
        "title": "Exact and certified forgetting",
        "summary": "The state that a fit on the retained rows gives, or one that can "
        "hardly be told from it, at less cost.",
        "names": [
            "ExactUnlearner",
            "Retrain",
            "CertifiedLogisticRegression",
            "CertifiedRidge",
            "SISAClassifier",
            "SISARegressor",
            "RemovalForestClassifier",
            "RemovalForestRegressor",
            "Rule",
            "SummaryRule",
            "Outcome",
            "UnlearningCost",
            "find_rule",
            "register_rule",
            "sisa_cost",
        ],
    },
    "sklearn_unlearn.unlearning": {
        "title": "Approximate unlearning of networks",
        "summary": "Fitted networks are trained to forget, in a part of the time.",
        "names": ["FineTune", "SalUn", "NPO", "Blindspot", "NetworkUnlearner"],
    },
    "sklearn_unlearn.base": {
        "title": "The contract",
        "summary": "What every estimator that can forget has in common.",
        "names": ["BaseUnlearner", "UnlearnerMixin", "UnlearnerTags", "is_unlearner"],
    },
    "sklearn_unlearn.exceptions": {
        "title": "Errors and warnings",
        "summary": "What a request to forget may be answered with.",
        "names": [
            "AmbiguousRowsError",
            "UnknownRowsError",
            "BudgetExceededError",
            "PipelineMemoryWarning",
            "PipelineRetrainWarning",
            "UnlearningWarning",
        ],
    },
    "sklearn_unlearn.utils.estimator_checks": {
        "title": "Checks for estimators",
        "summary": "The contract as tests, for estimators of this package and others.",
        "names": [
            "check_unlearner",
            "parametrize_with_unlearner_checks",
            "check_no_residue",
            "check_rule",
            "find_residue",
        ],
    },
    "sklearn_unlearn.utils.discovery": {
        "title": "Discovery",
        "summary": "What the package offers, found by a program.",
        "names": ["all_estimators"],
    },
    "sklearn_unlearn": {
        "title": "The package itself",
        "summary": "What to send along with a report of a bug.",
        "names": ["show_versions"],
    },
}


def api_page():
    """Return the text of the page ``api.rst``."""
    lines = [".. _api:", "", "===", "API", "===", ""]
    for module, section in API_REFERENCE.items():
        lines += [
            section["title"],
            "=" * len(section["title"]),
            "",
            f"``{module}``: {section['summary']}",
            "",
            f".. currentmodule:: {module}",
            "",
            ".. autosummary::",
            "   :toctree: generated/",
            "   :nosignatures:",
            "",
            *(f"   {name}" for name in section["names"]),
            "",
        ]
    return "\n".join(lines)
