"""Who fits a request, and why: pure functions over small values, without a database.

``rank`` gives matches in order, each with its score in parts and its reasons as codes with values.
"""

from cphub.domain.matching.rank import rank
from cphub.domain.matching.values import (
    Barrier,
    Expert,
    Match,
    Need,
    Reason,
    SkillLevel,
    Weights,
)

__all__ = ["Barrier", "Expert", "Match", "Need", "Reason", "SkillLevel", "Weights", "rank"]
