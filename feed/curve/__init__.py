"""Keys, who may enter, and how a feed's key becomes known."""
