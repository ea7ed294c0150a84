"""From tensors to rows. A missing value is NaN, and a category is its code."""
