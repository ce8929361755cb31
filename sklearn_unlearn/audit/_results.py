"""What an audit has found: plain numbers, their reasons, and how they are shown."""

# Authors: The sklearn-unlearn developers
# SPDX-License-Identifier: BSD-3-Clause

import html
import json
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

__all__ = ["AuditNumber", "UnlearningAudit", "compare"]

SCHEMA = 1


@dataclass(frozen=True)
class AuditNumber:
    """One measured number beside the value that retrained models get.

    That value is its target, whatever it is.

    Parameters
    ----------
    name : str
        What is measured.
    split : {"forget", "retain", "test", "pair"}
        On which rows; "pair" for two groups of models on the forgotten rows.
    value : float
        Of the unlearned models, their mean.
    original : float or None
        Of the original models, their mean.
    retrained, low, high : float or None
        Mean of the retrained models, and the ends of the interval within which a
        retrained model lies.
    pvalue : float or None
        Of the difference between unlearned and retrained models.
    note : str
        How it is to be read.

    See Also
    --------
    UnlearningAudit : What holds them.

    Examples
    --------
    >>> from sklearn_unlearn.audit import AuditNumber
    >>> AuditNumber("accuracy", "test", 0.91, 0.93, 0.92, 0.90, 0.94).is_like_retrained
    True
    """

    name: str
    split: str
    value: float
    original: float | None = None
    retrained: float | None = None
    low: float | None = None
    high: float | None = None
    pvalue: float | None = None
    note: str = ""

    @property
    def is_like_retrained(self):
        """Whether the value lies within the interval of retrained models."""
        return self.low is not None and self.low <= self.value <= self.high


@dataclass(frozen=True)
class UnlearningAudit:
    """Result of an audit.

    ``print`` shows it as a table, and so does a notebook; ``audit[name, split]`` is one
    of its numbers.

    Parameters
    ----------
    verdict : str
        ``"DETECTABLE"``, ``"DIFFERENT, NOT SHOWN TO REMEMBER"``, ``"NOT DETECTED"``,
        ``"INCONCLUSIVE"``; of learners without randomness ``"EQUAL"`` or
        ``"NOT EQUAL"``.
    flags : tuple of str
        What else is the matter: ``"COLLATERAL"``, ``"SUPPRESSED"``,
        ``"OVER-FORGOTTEN"``, ``"TOO CENTRAL"``.
    reasons : tuple of str
        Sentences that say why.
    limits : tuple of str
        Sentences that say what the audit cannot show.
    area : tuple of (float, float, float) or None
        Area under the ROC curve of the per-row attack against retrained models, and
        the ends of its interval; 1/2 for a perfect unlearner.
    numbers : tuple of AuditNumber
        All that was measured.
    rows : dict of str to list
        One entry per forgotten row: its position, and distances to retrained models.
    curves : dict of str to dict
        Relearn curves, and what else changes by steps.
    setup : dict
        Sizes, seeds and settings.
    seconds : dict of str to float
        Where the time went.
    environment : dict of str to str
        Versions.

    See Also
    --------
    audit_unlearning : Makes one.
    compare : Several in one table.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_unlearn.audit import UnlearningAudit, audit_unlearning
    >>> from sklearn_unlearn.exact import ExactUnlearner
    >>> X, y = load_diabetes(return_X_y=True)
    >>> forget = [True] * 20 + [False] * 280
    >>> audit = audit_unlearning(
    ...     ExactUnlearner(Ridge()),
    ...     X[:300],
    ...     y[:300],
    ...     forget=forget,
    ...     X_test=X[300:],
    ...     y_test=y[300:],
    ...     random_state=0,
    ... )
    >>> audit.verdict
    'EQUAL'
    >>> UnlearningAudit.from_json(audit.to_json()) == audit
    True
    """

    verdict: str
    flags: tuple = ()
    reasons: tuple = ()
    limits: tuple = ()
    area: tuple | None = None
    numbers: tuple = ()
    rows: dict = field(default_factory=dict)
    curves: dict = field(default_factory=dict)
    setup: dict = field(default_factory=dict)
    seconds: dict = field(default_factory=dict)
    environment: dict = field(default_factory=dict)

    @property
    def headline(self):
        """The verdict with its flags, its interval, and the numbers of models."""
        words = " + ".join([self.verdict, *self.flags])
        if self.area is not None:
            words += ", AUC {:.2f} [{:.2f}, {:.2f}]".format(*self.area)
        sizes = [
            f"{self.setup[name]} {what}"
            for name, what in (
                ("n_repeats", "unlearned"),
                ("n_references", "retrained"),
            )
            if self.setup.get(name)
        ]
        return f"{words} ({' and '.join(sizes)} models)" if sizes else words

    def __getitem__(self, key):
        """Return the `AuditNumber` of a ``(name, split)``."""
        for number in self.numbers:
            if (number.name, number.split) == key:
                return number
        known = [(number.name, number.split) for number in self.numbers]
        raise KeyError(f"{key!r} was not measured; there are {known}.")

    def __str__(self):
        lines = [self.headline, *self.reasons]
        if self.numbers:
            lines += ["", *_table(self.numbers)]
        if self.limits:
            lines += ["", "What this cannot show:", *self.limits]
        return "\n".join(lines)

    # --------------------------------------------------------------- other forms

    def to_dict(self):
        """Return the audit as a dictionary of plain values.

        Returns
        -------
        dict
            With the number of the format under ``"schema"``.
        """
        return {"schema": SCHEMA, **asdict(self)}

    def to_json(self, path=None):
        """Write the audit as JSON, with sorted keys.

        Parameters
        ----------
        path : str or path-like, default=None
            File to write to.

        Returns
        -------
        str or None
            The text, if there is no path.
        """
        text = json.dumps(
            _plain(self.to_dict()), sort_keys=True, allow_nan=False, indent=1
        )
        if path is None:
            return text
        Path(path).write_text(text + "\n", encoding="utf-8")
        return None

    @classmethod
    def from_json(cls, source):
        """Read an audit.

        Parameters
        ----------
        source : str or path-like
            JSON, or the file that holds it.

        Returns
        -------
        UnlearningAudit
        """
        text = (
            source if isinstance(source, str) and source.lstrip()[:1] == "{" else None
        )
        text = Path(source).read_text(encoding="utf-8") if text is None else text
        found = json.loads(text)
        schema = found.pop("schema", None)
        if schema != SCHEMA:
            raise ValueError(
                f"The audit was written in format {schema}, which this version does "
                f"not read: it reads format {SCHEMA}."
            )
        names = [f.name for f in fields(AuditNumber)]
        found["numbers"] = tuple(
            AuditNumber(**{name: number[name] for name in names})
            for number in found["numbers"]
        )
        for name in ("flags", "reasons", "limits"):
            found[name] = tuple(found[name])
        if found["area"] is not None:
            found["area"] = tuple(found["area"])
        return cls(**found)

    def to_frame(self):
        """Return the numbers as a data frame.

        Returns
        -------
        pandas.DataFrame
            One row per number, indexed by split and name.
        """
        import pandas as pd

        frame = pd.DataFrame([asdict(number) for number in self.numbers])
        return frame.set_index(["split", "name"]) if len(frame) else frame

    def _repr_html_(self):
        cells = "".join(
            "<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>"
            for row in _cells(self.numbers)
        )
        head = "".join(f"<th>{html.escape(name)}</th>" for name in _COLUMNS)
        reasons = "".join(f"<p>{html.escape(r)}</p>" for r in self.reasons)
        limits = "".join(f"<li>{html.escape(text)}</li>" for text in self.limits)
        return (
            f"<div><p><strong>{html.escape(self.headline)}</strong></p>{reasons}"
            f"<table><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table>"
            f"<details><summary>What this cannot show</summary><ul>{limits}</ul>"
            "</details></div>"
        )


_COLUMNS = ("split", "number", "original", "unlearned", "retrained", "interval", "p")


def _cells(numbers):
    """Return the words of a table, row by row."""
    for n in numbers:
        interval = "" if n.low is None else f"{_word(n.low)} to {_word(n.high)}"
        parts = map(_word, (n.original, n.value, n.retrained))
        yield (n.split, n.name, *parts, interval, _word(n.pvalue))


def _table(numbers):
    """Return the lines of a table in columns."""
    rows = [_COLUMNS, *_cells(numbers)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_COLUMNS))]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join(cells).rstrip()


def _word(value):
    """Write a number with three significant digits."""
    if value is None:
        return ""
    return f"{value:.3g}"


def _plain(value):
    """Return values that JSON knows: what is not finite becomes null."""
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def compare(audits):
    """Put several audits into one table, the one with the smallest trace first.

    Parameters
    ----------
    audits : dict of str to UnlearningAudit
        By the name of the unlearner.

    Returns
    -------
    pandas.DataFrame
        One row per audit, sorted by the upper end of the interval of the attack, never
        by verdict: with more models every difference is detected.

    Raises
    ------
    ValueError
        If there is no audit.

    See Also
    --------
    audit_unlearning : Makes one.

    Examples
    --------
    >>> from sklearn_unlearn.audit import UnlearningAudit, compare
    >>> first = UnlearningAudit("DETECTABLE", area=(0.7, 0.6, 0.8))
    >>> second = UnlearningAudit("NOT DETECTED", area=(0.5, 0.4, 0.6))
    >>> compare({"one": first, "another": second}).index.tolist()
    ['another', 'one']
    """
    import pandas as pd

    if not audits:
        raise ValueError("audits must hold at least one audit by its name.")
    rows = {}
    for name, audit in audits.items():
        value, low, high = audit.area or (math.nan,) * 3
        row = {"verdict": audit.verdict, "flags": ", ".join(audit.flags)}
        row |= {"AUC": value, "AUC low": low, "AUC high": high}
        row |= {
            f"{number.name}, {number.split}": number.value
            for number in audit.numbers
            if number.name != "AUC"
        }
        row["seconds to unlearn"] = audit.seconds.get("unlearn one", math.nan)
        rows[name] = row
    frame = pd.DataFrame.from_dict(rows, orient="index")
    return frame.sort_values("AUC high", kind="stable", na_position="first")
