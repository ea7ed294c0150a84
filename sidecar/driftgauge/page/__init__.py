"""Reports for people and programs: self-contained HTML without script and network, and the JSON of `/drift`."""
