"""The command line: parses the commands and prints what they found."""
