"""The wine data and the program that made them; README.md says where they come from."""
