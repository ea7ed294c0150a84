"""Tensors -> rows: the reference's columns of a request, the columns of a response.

This room is pure: values in, values out. A missing value is NaN, and a category is its code.
"""
