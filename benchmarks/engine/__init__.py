"""The KS engine beside its peers: statistic and p-value of all features of a window; and what a whole look costs."""
