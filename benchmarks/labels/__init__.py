"""Labels on real traffic: that every one is counted once, and what they cost the process that takes them."""
