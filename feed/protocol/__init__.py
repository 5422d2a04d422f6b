"""The messages between a feed and its readers as bytes. No sockets, no Arrow."""
