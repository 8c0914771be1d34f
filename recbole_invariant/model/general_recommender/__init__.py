"""General recommenders: users and items, no order."""
