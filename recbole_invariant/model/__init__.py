"""The models, laid out as RecBole lays out its own."""
