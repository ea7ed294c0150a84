"""The server of a data port: connections of clients that carry one exchange after another, for any request handler."""
