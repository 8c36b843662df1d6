"""What one takes home from a run: a replay that opens without clustlab, and the code that makes the run again.

Here runs are read and written down for others; nothing is trained, and no page is drawn but the one in a replay, which
is made of the very modules that the laboratory runs on. The zip of a whole run is in ``clustlab.runs.archive``. To
take a run home in another form, copy ``snippet.py`` (texts) or see ``replay.py``, and offer it in
``app/components/take_home.py``.
"""

__all__: list[str] = []
