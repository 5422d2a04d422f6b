"""The widget for anybody's Textual app: `from livetable import LiveTable`."""
