"""Questions asked of a checkpoint: what it makes of new samples, of codes, of the way from one sample to another.

Nothing here trains, writes or draws. Answers are NumPy arrays in the data's own units; to ask another question, add a
method to :class:`~clustlab.inspection.model.Inspection`. Importing this room loads torch.
"""

from clustlab.inspection.between import Between, Clusters, between
from clustlab.inspection.model import Inspection, answers_of, open_model
from clustlab.inspection.opened import opened

__all__ = ["Between", "Clusters", "Inspection", "answers_of", "between", "open_model", "opened"]
