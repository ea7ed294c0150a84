"""Pictures of the boards for the documentation; `python -m charts.pictures` draws them.

A real Prometheus with an invented history responds to the queries of the committed boards; matplotlib draws the
results where Grafana would. The pictures are no screenshots, and their caption says so.

    __main__    starts Prometheus, draws every board
    responses   sends the queries of a panel
    figure      a board on its grid
    panels      each kind of panel on its axes
    numbers     numbers with their units
"""
