"""A finished run as a recommender: loaded without its data, asked by raw tokens."""
