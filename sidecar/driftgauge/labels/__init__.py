"""How labels come in: the port that takes them, and the matcher that brings them to the responses that wait."""
