"""Live components: what is drawn in the browser and fed by the routes, one Python module with one ``show`` each.

Python only says which run to show; frames, zoom, play and selection stay in the browser and cause no rerun, and no
figure is drawn here. To add one, copy ``equation.py`` with ``static/equation.js`` and ``static/equation.css``.
"""

__all__: list[str] = []
