"""What the kill tests raise."""


class Failure(Exception):
    """Something that must not be."""
