"""The browser side: the pages, the live components, and the routes that push recorded frames to them.

Nothing here trains, projects or draws a figure: whatever a page shows is read from a run folder by the public names
of the other rooms, and torch is never imported. To add a live component, copy ``components/equation.py`` and its two
files in ``components/static``; to add something that a component can ask for, add a handler to ``routes.py``.
"""

__all__: list[str] = []
