"""The clients' side of a data port: connections on which one exchange follows the other, whatever answers them."""
