"""What can go wrong because of what a person asked for: each message is one sentence that says what is allowed."""

__all__ = ["ClustlabError", "DamagedError", "DataError", "LaunchError", "RunError", "SpecError"]


class ClustlabError(Exception):
    """Base of every error whose text is meant for the person who caused it; shown without a traceback."""


class SpecError(ClustlabError, ValueError):
    """A run was asked for that cannot be: unknown method or option, value out of bounds."""


class DataError(ClustlabError, ValueError):
    """Data that is not there, or is not what the method needs."""


class RunError(ClustlabError):
    """A run folder or archive that is missing, foreign, damaged, or of a newer format."""


class DamagedError(RunError):
    """A file of a run that holds something else than what was written; one that merely cannot be read now is none."""


class LaunchError(ClustlabError):
    """A run could not be started, paused, resumed or stopped in the state it is in."""
