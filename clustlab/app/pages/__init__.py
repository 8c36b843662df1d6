"""The pages: each a function ``page()`` that places components and nothing more.

Whatever a page shows is a component; whatever it knows is in ``state.py`` or on disk. Copy ``runs.py`` to add one,
and name it in ``main.py``.
"""
