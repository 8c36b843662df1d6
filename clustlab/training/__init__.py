"""Training: the one loop, what a frame contains, when things are recorded, checkpoints.

No method, loss or network lives here, and no file name: the recorder hands arrays to a writer of ``runs``. There is
nothing to copy: a new kind of training is a new word in ``methods/base.py``, not a second loop.
"""
