"""Pictures of the boards for the documentation; `python -m charts.pictures` draws them anew.

A real Prometheus over a made-up history answers the committed boards' own queries; matplotlib draws the answers where
Grafana would. They are no screenshots, and say so.

    __main__    starts Prometheus, draws every board
    answers     asks the queries of a panel
    figure      a board on its grid
    panels      each kind of panel on its axes
"""
