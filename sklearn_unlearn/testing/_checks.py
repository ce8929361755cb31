"""All checks of the contract of ``unlearn``.

Each takes the name and an unfitted instance of an estimator, as scikit-learn's
own checks do, and raises an error where a rule of the contract is broken.
"""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

from sklearn_unlearn.testing._convention_checks import (
    check_unlearn_after_pickle,
    check_unlearn_in_search,
    check_unlearn_is_repeatable,
    check_unlearn_keeps_schema,
    check_unlearner_tags,
)
from sklearn_unlearn.testing._exactness_checks import (
    check_fit_forget_mask,
    check_unlearn_behind_a_step,
    check_unlearn_class,
    check_unlearn_equals_refit,
    check_unlearn_in_steps,
)
from sklearn_unlearn.testing._removal_checks import (
    check_no_residue,
    check_unlearn_export,
    check_unlearn_whatever_was_fitted,
)
from sklearn_unlearn.testing._request_checks import (
    check_unlearn_bad_input,
    check_unlearn_copies,
    check_unlearn_groups,
    check_unlearn_is_transactional,
    check_unlearn_retain_given,
    check_unlearn_returns_self,
    check_unlearn_targets,
    check_unlearn_unknown_rows,
)

__all__ = ["CHECKS"]

CHECKS = (
    check_unlearner_tags,
    check_unlearn_returns_self,
    check_unlearn_unknown_rows,
    check_unlearn_bad_input,
    check_unlearn_copies,
    check_unlearn_targets,
    check_unlearn_is_transactional,
    check_unlearn_keeps_schema,
    check_unlearn_is_repeatable,
    check_unlearn_in_steps,
    check_unlearn_equals_refit,
    check_unlearn_behind_a_step,
    check_fit_forget_mask,
    check_unlearn_groups,
    check_unlearn_retain_given,
    check_unlearn_class,
    check_unlearn_after_pickle,
    check_unlearn_export,
    check_unlearn_in_search,
    check_no_residue,
    check_unlearn_whatever_was_fitted,
)
