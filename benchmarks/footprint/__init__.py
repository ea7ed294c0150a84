"""What the process costs before it does anything, and whether that stays so."""
