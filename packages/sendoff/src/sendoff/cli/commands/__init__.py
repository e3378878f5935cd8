"""The commands, a file for each group; ``sendoff.cli.root`` names them, and each is loaded when it is used."""
