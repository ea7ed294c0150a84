"""What requests feel of the work that the same process does beside them."""
