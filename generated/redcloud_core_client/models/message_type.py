# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from ..types import OpenStrEnum

__all__ = ["MessageType"]


class MessageType(OpenStrEnum):
    """The mode of a message. SMS forbids media, MMS requires media."""

    SMS = "SMS"
    MMS = "MMS"
