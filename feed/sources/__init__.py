"""What can be published without a line of code: one file a source."""
