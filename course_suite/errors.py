"""The one exception that a user's mistake raises in the suite."""


class UserError(Exception):
    """A mistake that the user can mend: shown as one line, exit status 2."""
