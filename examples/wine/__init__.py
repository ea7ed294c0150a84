"""The wine data and the program that made them; README.md tells where they come from."""
