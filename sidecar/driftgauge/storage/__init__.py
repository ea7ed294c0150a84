"""Stores for rows (ring), for halves of pairs, and for named states: protocols, and adapters in memory and Redis."""
