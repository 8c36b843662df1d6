"""Objectives: pure functions on tensors, one idea a file, each the paper's formula with its equation number.

No parameters, optimisers or options live here, and nothing is reduced over samples: every loss is a vector with one
value per sample, which the training loop reduces once, by the mean. Copy ``student_t.py`` to add one.
"""
