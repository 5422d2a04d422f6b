"""The terminal: driver and painter, and all use of Textual's private parts."""
