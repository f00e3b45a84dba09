"""What stops a run."""


class TrainingError(Exception):
    """Training cannot go on. The message says where it stopped, and what to do."""
