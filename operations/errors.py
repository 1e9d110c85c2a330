"""What the command line tells people when it cannot go on."""


class CommandError(Exception):
    """Printed as it is, without a traceback; the command ends with exit code 2."""
