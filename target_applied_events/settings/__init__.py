"""The settings: declared in one place, read once, frozen; nothing else sees what users wrote."""

from target_applied_events.settings.settings import PROPERTIES, Settings

__all__ = ["PROPERTIES", "Settings"]
