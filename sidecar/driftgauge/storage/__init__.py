"""Where the newest rows of each model are kept: the ring's protocol, its adapters, the store of half pairs."""
