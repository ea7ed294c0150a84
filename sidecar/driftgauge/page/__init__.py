"""Reports as pages for people: one self-contained HTML document, no script and no network.

This room is pure: reports and rows in, text out.
"""
