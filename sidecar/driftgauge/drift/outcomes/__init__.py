"""Outcomes: predictions with the labels that came later. How often they are right, and whether that has changed."""
