"""`python -m livetable` runs the viewer."""

from livetable.tui.cli.main import command

if __name__ == "__main__":
    command()
