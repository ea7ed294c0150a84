"""The KS engine compared with its peers (statistic and p-value of all features), and the cost of a whole look."""
