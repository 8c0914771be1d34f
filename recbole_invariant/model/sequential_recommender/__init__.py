"""Sequential recommenders, one a file, as RecBole has them."""
