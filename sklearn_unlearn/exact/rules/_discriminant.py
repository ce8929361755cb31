"""Rules for linear and quadratic discriminant analysis."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import functools

import numpy as np
from scipy import linalg
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.utils.extmath import svd_flip

from sklearn_unlearn.base._steps import shallow_copy
from sklearn_unlearn.exact._rule import register_rule
from sklearn_unlearn.exact._summary_rule import SummaryRule
from sklearn_unlearn.exact.statistics._moments import (
    MIN_SHARE_LEFT,
    block_moments,
    block_scatter,
    class_segments,
    is_double,
    merge_moments,
    merge_scatter,
    spreads_in_classes,
    subtract_scatter,
)
from sklearn_unlearn.utils._sklearn_compat import set_n_components_out

# Largest condition number of a covariance, scaled to unit diagonal, that is
# decomposed: of the digits of its smallest singular value 1e-16 * 1e7 are lost.
MAX_CONDITION = 1e7
# A singular value this close to the tolerance, relative to it, may be on its other
# side in a fit; one this small, relative to the largest, has no direction.
NEAR, SMALL = 1e-3, 1e-7
# Classes times columns; with more, scatter matrices would be larger than the rows.
MOST_MEANS = 1 << 14


@functools.cache
def divides_by_rows(estimator_type):
    """Whether variances are divided by numbers of rows, not degrees of freedom.

    It has changed in scikit-learn, so a fit is asked.
    """
    model = estimator_type().fit([[-1.0], [1.0], [1.0], [3.0]], [0, 0, 1, 1])
    return bool(np.isclose(np.ravel(model.scalings_[0])[0], 1.0))


def fixed_signs(directions):
    """Make the entry of each column that has the largest absolute value positive.

    The signs are arbitrary, those of a fit depend on the order of its rows.
    """
    _, rows = svd_flip(None, directions.T.copy(), u_based_decision=False)
    return rows.T.copy()


def is_well_conditioned(A):
    """Whether `A`, scaled to unit diagonal, keeps its digits in a decomposition."""
    diagonal = np.diag(A)
    if not (diagonal > 0).all():
        return False
    scale = 1 / np.sqrt(diagonal)
    values = linalg.eigvalsh(A * np.outer(scale, scale))
    return values[0] * MAX_CONDITION > values[-1]


class _DiscriminantRule(SummaryRule):
    """Base of the two discriminant analyses: classes that are left, and priors."""

    blocks_per_summary = 64

    def is_robust_to_rounding(self, estimator):
        return True

    def guarantee(self, estimator):
        return "exact"

    def summaries_compatible(self, before, after):
        return len(before.classes_) == len(after.classes_)

    @staticmethod
    def start(fitted, count):
        """Return a copy with classes and priors, by the numbers of rows.

        None if scikit-learn has something to say to it.
        """
        left = count > 0
        n_classes = left.sum()
        given = fitted.priors is not None
        if n_classes < 2 or count.sum() <= n_classes or (given and not left.all()):
            return None
        new = shallow_copy(fitted)
        new.classes_ = fitted.classes_[left]
        if not given:
            new.priors_ = count[left] / count.sum()
        return new


@register_rule(LinearDiscriminantAnalysis)
class LinearDiscriminantAnalysisRule(_DiscriminantRule):
    """Means of the classes, and the scatter of all rows about them, by block.

    The columns of ``scalings_`` are defined up to their signs; `fit` chooses
    them so that they depend on the rows but not on their order.
    """

    fit_transform_differs = (
        True  # a pipeline fits it as a transformer: with other signs
    )

    def fit(self, estimator, X, y=None, **params):
        estimator.fit(X, y, **params)
        if estimator.solver == "svd":
            estimator.scalings_ = fixed_signs(estimator.scalings_)
        return estimator

    def covers(self, estimator, X, y=None, **params):
        # eigenvectors of the eigen solver, most of eigenvalue 0, are arbitrary
        if estimator.solver == "eigen" or not is_double(X):
            return False
        pooled = estimator.solver == "lsqr" or estimator.store_covariance
        if pooled and estimator.priors is not None:
            return False  # given priors need the covariance of each class
        return estimator.covariance_estimator is None and estimator.shrinkage != "auto"

    def summarise(self, fitted, X, y, starts):
        order, bounds = class_segments(y, fitted.classes_, starts)
        X = np.asarray(X, dtype=np.float64)[order]
        count, mean, _ = block_moments(X, bounds)
        lengths = np.diff(np.append(bounds, len(X)))
        # the order is within blocks, so these start where they did
        _, _, scatter = block_scatter(X - np.repeat(mean, lengths, axis=0), starts)
        shape = (len(starts), len(fitted.classes_))
        return {
            "count": count[:, 0].reshape(shape),
            "mean": mean.reshape(*shape, -1),
            "scatter": scatter,
        }

    def subtract(self, whole, part):
        count, mean, scatter = whole.values()
        part_count, part_mean, part_scatter = part.values()
        rest = count - part_count
        share = (part_count / np.where(rest > 0, rest, 1.0))[..., None]
        shift = np.where(part_count[..., None] > 0, part_mean - mean, 0.0)
        # (n_blocks, n_features, n_features)
        between = np.matmul(np.swapaxes(shift * share * count[..., None], 1, 2), shift)
        row, column = np.triu_indices(mean.shape[2])
        rest_scatter = scatter - part_scatter - between[:, row, column]
        squares = row == column
        kept = rest_scatter[:, squares] >= MIN_SHARE_LEFT * scatter[:, squares]
        halves = (rest > 0.5 * count) | (part_count == 0)
        accurate = kept.all(axis=1) & halves.all(axis=1)
        rest = {"count": rest, "mean": mean - shift * share, "scatter": rest_scatter}
        return rest, accurate

    def assemble(self, fitted, summaries):
        block_count, block_mean, block_scatters = summaries.values()
        every = np.broadcast_to(block_count[..., None], block_mean.shape)
        count, means, _ = merge_moments(every, block_mean, np.zeros_like(block_mean))
        count = count[:, 0]
        new = self.start(fitted, count)
        if new is None:
            return None
        offsets = (block_mean - means).reshape(-1, means.shape[1])
        _, _, scatter = merge_scatter(block_count.ravel(), offsets, block_scatters)
        new.means_ = means = means[count > 0]
        n_rows, n_features = count.sum(), means.shape[1]
        squares = np.diag(scatter)
        if not spreads_in_classes(n_rows, means, squares):
            return None
        most = min(len(means) - 1, n_features)
        if fitted.n_components is not None and fitted.n_components > most:
            return None
        set_n_components_out(new, fitted.n_components or most)
        if fitted.solver == "lsqr" or fitted.store_covariance:
            new.covariance_ = scatter / n_rows
        solve = self._solve_lsqr if fitted.solver == "lsqr" else self._solve_svd
        if not solve(new, n_rows, scatter):
            return None
        if len(means) == 2:
            new.coef_ = np.diff(new.coef_, axis=0)
            new.intercept_ = np.diff(new.intercept_)
        return new

    @staticmethod
    def _solve_svd(new, n_rows, scatter):
        """Set what the svd solver finds, unless it is not determined."""
        means, n_classes = new.means_, len(new.means_)
        live = np.diag(scatter) > 0  # the other columns are zero in every row
        if not live.any() or not is_well_conditioned(scatter[np.ix_(live, live)]):
            return False
        std = np.sqrt(np.diag(scatter)[live] / n_rows)
        by_rows = divides_by_rows(LinearDiscriminantAnalysis)
        divisor = n_rows if by_rows else n_rows - n_classes
        within = scatter[np.ix_(live, live)] / np.outer(std, std) / divisor
        values, vectors = linalg.eigh(within)
        singular = np.sqrt(np.clip(values[::-1], 0.0, None))
        if singular[-1] <= (1 + NEAR) * new.tol:
            return False
        scalings = vectors[:, ::-1] / std[:, None] / singular
        new.xbar_ = new.priors_ @ means
        weight = np.sqrt(n_rows * new.priors_ / (n_classes - 1))[:, None]
        between = (weight * (means - new.xbar_))[:, live] @ scalings
        _, singular, vectors = linalg.svd(between, full_matrices=False)
        if singular[0] == 0:
            return False
        share, tol = singular / singular[0], new.tol
        if (
            (np.abs(share - tol) <= NEAR * tol) | (share > tol) & (share < SMALL)
        ).any():
            return False
        rank = np.sum(share > tol)
        explained = singular**2 / np.sum(singular**2)
        n_components = new.n_components or min(n_classes - 1, means.shape[1])
        new.explained_variance_ratio_ = explained[:n_components].copy()
        new.scalings_ = np.zeros((means.shape[1], rank))
        new.scalings_[live] = fixed_signs(scalings @ vectors.T[:, :rank])
        coef = (means - new.xbar_) @ new.scalings_
        new.intercept_ = -0.5 * np.sum(coef**2, axis=1) + np.log(new.priors_)
        new.coef_ = coef @ new.scalings_.T
        new.intercept_ -= new.xbar_ @ new.coef_.T
        return True

    @staticmethod
    def _solve_lsqr(new, n_rows, scatter):
        """Set what the lsqr solver finds, unless it is not determined."""
        means, covariance = new.means_, new.covariance_
        if new.shrinkage is not None:
            new.covariance_ = covariance = shrunk(covariance, new.shrinkage)
        values = linalg.eigvalsh(covariance)
        if values[0] * MAX_CONDITION <= values[-1]:
            return False
        new.coef_ = linalg.lstsq(covariance, means.T)[0].T.copy()
        squares = np.sum(means * new.coef_, axis=1)
        new.intercept_ = -0.5 * squares + np.log(new.priors_)
        return True


def shrunk(covariance, shrinkage):
    """Mix a covariance with a multiple of the identity."""
    n_features = len(covariance)
    level = np.trace(covariance) / n_features
    return (1 - shrinkage) * covariance + shrinkage * level * np.eye(n_features)


@register_rule(QuadraticDiscriminantAnalysis)
class QuadraticDiscriminantAnalysisRule(_DiscriminantRule):
    """Means and scatter matrices of the classes by block.

    The columns of ``rotations_`` have the signs that `fixed_signs` gives them.
    """

    def fit(self, estimator, X, y=None, **params):
        estimator.fit(X, y, **params)
        estimator.rotations_ = [fixed_signs(r) for r in estimator.rotations_]
        return estimator

    def covers(self, estimator, X, y=None, **params):
        if estimator.means_.size > MOST_MEANS:
            return False
        settings = estimator.get_params()  # solvers are new in scikit-learn 1.8
        plain = settings.get("covariance_estimator") is None
        return plain and settings.get("shrinkage") != "auto" and is_double(X)

    def summarise(self, fitted, X, y, starts):
        order, bounds = class_segments(y, fitted.classes_, starts)
        total, mean, scatter = block_scatter(np.asarray(X)[order], bounds)
        shape = (len(starts), len(fitted.classes_))
        return {
            "total": total.reshape(shape),
            "mean": mean.reshape(*shape, -1),
            "scatter": scatter.reshape(*shape, -1),
        }

    def subtract(self, whole, part):
        shape = whole["total"].shape
        flat = (
            [value.reshape(-1, *value.shape[2:]) for value in summary.values()]
            for summary in (whole, part)
        )
        *rest, accurate = subtract_scatter(*flat)
        rest = [value.reshape(*shape, *value.shape[1:]) for value in rest]
        accurate = accurate.reshape(shape).all(axis=1)
        return dict(zip(whole, rest, strict=True)), accurate

    def assemble(self, fitted, summaries):
        total, mean, scatter = summaries.values()
        count = total.sum(axis=0)
        new = self.start(fitted, count)
        if new is None:
            return None
        means, solutions = [], []
        for k in np.flatnonzero(count):
            n_rows, centre, squares = merge_scatter(
                total[:, k], mean[:, k], scatter[:, k]
            )
            solution = self._solve(fitted, n_rows, squares)
            if solution is None:
                return None
            means.append(centre)
            solutions.append(solution)
        new.means_ = np.asarray(means)
        scalings, rotations, covariances = zip(*solutions, strict=True)
        new.scalings_, new.rotations_ = list(scalings), list(rotations)
        if fitted.store_covariance:
            new.covariance_ = list(covariances)
        return new

    @staticmethod
    def _solve(fitted, n_rows, scatter):
        """Scaling, rotation and covariance of a class, or None."""
        if n_rows < 2 or not is_well_conditioned(scatter):
            return None
        if fitted.get_params().get("solver") == "eigen":
            covariance = scatter / n_rows
            if fitted.shrinkage is not None:
                covariance = shrunk(covariance, fitted.shrinkage)
            scaling, rotation = (v[..., ::-1] for v in linalg.eigh(covariance))
        else:
            # a factor scaled by columns keeps the digits of small variances
            scale = np.sqrt(np.diag(scatter))
            factor = linalg.cholesky(scatter / np.outer(scale, scale)) * scale
            _, singular, rows = linalg.svd(factor)
            by_rows = divides_by_rows(QuadraticDiscriminantAnalysis)
            scaling = singular**2 / (n_rows if by_rows else n_rows - 1)
            scaling = (1 - fitted.reg_param) * scaling + fitted.reg_param
            rotation = rows.T
            covariance = (rotation * scaling) @ rows
        if (scaling <= (1 + NEAR) * fitted.tol).any():
            return None  # scikit-learn warns of it, or refuses
        return scaling.copy(), fixed_signs(rotation), covariance
