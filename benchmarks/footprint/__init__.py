"""What an idle process costs, and whether its memory stays constant under load."""
